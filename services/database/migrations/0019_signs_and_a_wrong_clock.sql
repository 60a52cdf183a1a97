-- A clock that was wrong for an hour holds no sign back when it is right again: what was gathered or taken by it, in a year
-- to come, stood in the way of every day before.

set local role intabaza_owner;


-- As in 0015, but of the day that it is: what comes by a clock that was read before the last gathering waits for the next
-- day's, since a day gathers once.
create or replace function vault.hold_signs(
    command uuid, command_mac bytea, moment timestamptz, zone text, person uuid, day date, channel text,
    reporters uuid[], keys uuid[], words bytea[]
) returns table (outcome text, taken_on date)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    known vault.sign_command;
    today date;
begin
    perform pg_advisory_xact_lock_shared(7310394218800014);
    today := (coalesce(moment, clock_timestamp()) at time zone zone)::date;
    insert into vault.sign_command (command_id, mac, taken_on, day)
        values (command, command_mac, today, hold_signs.day) on conflict do nothing;
    if not found then
        select c.* into known from vault.sign_command c where c.command_id = command;
        return query select case when known.mac = command_mac then 'repeated' else 'reused' end, known.taken_on;
        return;
    end if;
    if not exists (select from vault.hold_persons(array[person]))
        or cardinality(keys) <> (
            select count(*) from (
                select from vault.key k where k.key_id = any (keys) and k.destroyed_at is null
                order by k.key_id for share) as living)
    then
        delete from vault.sign_command c where c.command_id = command;
        return query select 'gone', today;
        return;
    end if;
    insert into vault.held_sign as h (reporter_id, channel, day, person_id, key_id, said, taken_on)
        select w.reporter, hold_signs.channel, hold_signs.day, person, w.key, w.said, today
        from unnest(reporters, keys, words) as w (reporter, key, said) order by 1
        on conflict (reporter_id, channel, day) do update set said = excluded.said, key_id = excluded.key_id
        where h.batch is null;
    return query select 'held', today;
end $$;


-- As in 0017, but a gathering stands in the way of its own day alone, and what was taken later than tomorrow was taken by a
-- wrong clock and goes with the rest.
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
        delete from vault.sign_command c where c.day < now_day - keep_days;
    end if;
    return query
        select now_day, b.day, b.batch_id, h.reporter_id, h.person_id, h.key_id, h.day, h.channel, h.said
        from (values (1)) as always left join (
            vault.sign_batch b join vault.held_sign h on h.batch = b.day) on true
        order by b.day, h.reporter_id, h.day, h.channel;
end $$;

reset role;
