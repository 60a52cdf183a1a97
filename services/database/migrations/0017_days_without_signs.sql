-- A day is gathered only where something was held before it.

set local role intabaza_owner;


-- As in 0015, but a day before which nothing was held is none: a network that is begun as a simulated one was looked at
-- before by the clock of this server, and whatever came afterwards was of that day. Gathers once a day and no more; then
-- shows every gathering that is not on the log yet. Signs of erased people are gone from it.
create or replace function vault.gather_signs(moment timestamptz, zone text, keep_days int) returns table (
    today date, gathered date, batch_id uuid,
    reporter_id uuid, person_id uuid, key_id uuid, day date, channel text, said bytea
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    now_day date;
begin
    perform pg_advisory_xact_lock(7310394218800014);
    now_day := (coalesce(moment, clock_timestamp()) at time zone zone)::date;
    if not exists (select from vault.sign_batch b where b.day >= now_day)
        and exists (select from vault.held_sign h where h.batch is null and h.taken_on < now_day)
    then
        insert into vault.sign_batch (day) values (now_day);
        update vault.held_sign h set batch = now_day where h.batch is null and h.taken_on < now_day;
        delete from vault.sign_batch b
            where b.day < now_day and not exists (select from vault.held_sign h where h.batch = b.day);
        delete from vault.sign_command c where c.day < now_day - keep_days;
    end if;
    return query
        select now_day, b.day, b.batch_id, h.reporter_id, h.person_id, h.key_id, h.day, h.channel, h.said
        from (values (1)) as always left join (
            vault.sign_batch b join vault.held_sign h on h.batch = b.day) on true
        order by b.day, h.reporter_id, h.day, h.channel;
end $$;

reset role;
