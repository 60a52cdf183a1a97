-- That a check-in was taken is forgotten after its time also where nobody checks in any more.

set local role intabaza_owner;


-- As in 0019, but what was taken is forgotten at every look, and not only where something is gathered.
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
    if not exists (select from vault.sign_batch b where b.day = now_day)
        and exists (
            select from vault.held_sign h
            where h.batch is null and (h.taken_on < now_day or h.taken_on > now_day + 1))
    then
        insert into vault.sign_batch (day) values (now_day);
        update vault.held_sign h set batch = now_day
            where h.batch is null and (h.taken_on < now_day or h.taken_on > now_day + 1);
        delete from vault.sign_batch b
            where b.day < now_day and not exists (select from vault.held_sign h where h.batch = b.day);
    end if;
    delete from vault.sign_command c where c.day < now_day - keep_days;
    return query
        select now_day, b.day, b.batch_id, h.reporter_id, h.person_id, h.key_id, h.day, h.channel, h.said
        from (values (1)) as always left join (
            vault.sign_batch b join vault.held_sign h on h.batch = b.day) on true
        order by b.day, h.reporter_id, h.day, h.channel;
end $$;

reset role;
