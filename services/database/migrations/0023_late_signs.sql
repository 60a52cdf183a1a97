-- A sign of life that came after its day was over stood out among the others of its midnight, and led to the letter that
-- it had come with: it waits for the end of the week.

set local role intabaza_owner;


-- The first day on which a sign may be on the log: as `recorded_from` of events/reporter says. Weeks begin on Monday.
create function vault.sign_due(day date, taken_on date) returns date
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when day < taken_on then date_trunc('week', taken_on::timestamp)::date + 7 else taken_on + 1 end
$$;

drop function vault.gather_signs(timestamptz, text, int);

-- As in 0022, but late signs once a week, and with the day on which each was taken.
create function vault.gather_signs(moment timestamptz, zone text, keep_days int) returns table (
    today date, gathered date, batch_id uuid,
    reporter_id uuid, person_id uuid, key_id uuid, day date, channel text, said bytea, taken_on date
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    now_day date;
begin
    perform pg_advisory_xact_lock(7310394218800014);
    now_day := (coalesce(moment, clock_timestamp()) at time zone zone)::date;
    if not exists (select from vault.sign_batch b where b.day = now_day)
        and exists (
            select from vault.held_sign h
            where h.batch is null and (vault.sign_due(h.day, h.taken_on) <= now_day or h.taken_on > now_day + 1))
    then
        insert into vault.sign_batch (day) values (now_day);
        update vault.held_sign h set batch = now_day
            where h.batch is null and (vault.sign_due(h.day, h.taken_on) <= now_day or h.taken_on > now_day + 1);
        delete from vault.sign_batch b
            where b.day < now_day and not exists (select from vault.held_sign h where h.batch = b.day);
    end if;
    delete from vault.sign_command c where c.day < now_day - keep_days;
    return query
        select now_day, b.day, b.batch_id, h.reporter_id, h.person_id, h.key_id, h.day, h.channel, h.said, h.taken_on
        from (values (1)) as always left join (
            vault.sign_batch b join vault.held_sign h on h.batch = b.day) on true
        order by b.day, h.reporter_id, h.day, h.channel;
end $$;

revoke all on function vault.sign_due, vault.gather_signs from public;
grant execute on function vault.sign_due, vault.gather_signs to intabaza_vault;
reset role;
