-- Signs of life between their acceptance and the log, where they stand all at once when their day is over.
--
-- Nothing here says at which moment of its day a sign came. A day is the ledger's local one: `moment` is a simulated
-- ledger's clock, null is this server's. Whoever holds a sign shares a lock with the others, and whoever gathers a day's
-- signs takes it alone and before they look at the clock: so no sign of a day comes in behind the gathering.

set local role intabaza_owner;


-- One go of appending. `batch_id` is its command's id: a second try, whoever makes it, is a repeat to the ledger.
create table vault.sign_batch (
    day      date primary key,
    batch_id uuid not null unique default gen_random_uuid()
);

-- At most one a stream, channel and day. `said` is sealed under the person's key for that stream; it goes with the key.
create table vault.held_sign (
    reporter_id uuid not null,
    channel     text not null,
    day         date not null,
    person_id   uuid not null references vault.person,
    key_id      uuid not null references vault.key,
    said        bytea not null,
    taken_on    date not null,
    batch       date references vault.sign_batch,
    primary key (reporter_id, channel, day)
);
create index held_sign_by_key on vault.held_sign (key_id);
create index held_sign_by_batch on vault.held_sign (batch);

-- Which check-ins were taken, so that a repeat is known as one: the ledger knows no command of theirs. Nothing leads from
-- here to a person. A row goes when the check-in would be refused as too late.
create table vault.sign_command (
    command_id uuid primary key,
    mac        bytea not null,
    taken_on   date not null,
    day        date not null
);

-- Takes a check-in: one sign for each stream of the person. `outcome` is held, repeated, reused (the id, for another
-- body) or gone (the person or a key is erased, and nothing was written). What is said last of a day and channel stands.
create function vault.hold_signs(
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
    -- A scenario's clock may have been read before the last gathering: what comes now is of the day after that.
    today := greatest(
        (coalesce(moment, clock_timestamp()) at time zone zone)::date, (select max(b.day) from vault.sign_batch b));
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

-- Which check-ins were taken before; null for one that was not.
create function vault.sign_taken(command uuid, command_mac bytea) returns table (outcome text, taken_on date)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select case when c.mac = command_mac then 'repeated' else 'reused' end, c.taken_on
    from vault.sign_command c where c.command_id = command
$$;

-- At its first call in a day gathers what was taken before it, once a day and no more; then shows every gathering that is
-- not on the log yet. Signs of erased people are gone from it.
create function vault.gather_signs(moment timestamptz, zone text, keep_days int) returns table (
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
    if not exists (select from vault.sign_batch b where b.day >= now_day) then
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

-- They are on the log.
create function vault.let_signs_go(gathered uuid) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    delete from vault.held_sign h using vault.sign_batch b where b.batch_id = gathered and h.batch = b.day
$$;

-- How many are held, and for how many seconds the day of the oldest runs.
create function vault.signs_standing(moment timestamptz, zone text) returns table (held bigint, oldest_seconds float)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select count(*),
        coalesce(extract(epoch from
            coalesce(moment, clock_timestamp()) - (min(h.taken_on)::timestamp at time zone zone)), 0)::float
    from vault.held_sign h
$$;

-- As in 0002, and held signs go with their key.
create or replace function vault.destroy_keys(doomed uuid[]) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'keys are destroyed under READ COMMITTED: an older snapshot would miss an append before it';
    end if;
    perform ledger.hold();
    return query
        update vault.key k set wrapped = null, destroyed_at = clock_timestamp()
        where k.key_id in (
            select d.key_id from vault.key d
            where d.key_id = any (doomed) and d.destroyed_at is null order by d.key_id for update)
        returning k.key_id;
    delete from vault.held_sign h where h.key_id = any (doomed);
end $$;

revoke all on function
    vault.hold_signs, vault.sign_taken, vault.gather_signs, vault.let_signs_go, vault.signs_standing from public;
grant execute on function
    vault.hold_signs, vault.sign_taken, vault.gather_signs, vault.let_signs_go, vault.signs_standing to intabaza_vault;
grant select on vault.held_sign, vault.sign_batch, vault.sign_command to intabaza_vault;
reset role;
