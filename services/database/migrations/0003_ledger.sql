-- The ledger: one append-only table, and the only functions that write it.

set local role intabaza_owner;

create table ledger.event (
    position bigint primary key,
    stream text collate "C" not null,
    version bigint not null check (version > 0),
    event_id uuid not null unique,
    type text not null,
    home text not null,
    recorded_at timestamptz not null,
    command_id uuid not null,
    command_mac bytea not null,
    -- Canonical bytes of everything but `sequence` and `time`; the limit is events.envelope.BODY_LIMIT_BYTES.
    body bytea not null check (octet_length(body) between 2 and 899930),
    splice_version smallint not null,
    unique (stream, version)
);
create index event_command_id on ledger.event (command_id);

-- Ids that somebody asked about while they were absent. A first try that was still on its way is refused.
create table ledger.burned (
    command_id uuid primary key,
    burned_at timestamptz not null
);

create table ledger.state (
    singleton boolean primary key default true check (singleton),
    -- Real or simulated: null until the first append or `ledger.simulate`, then never changed.
    simulated boolean,
    simulated_clock timestamptz,
    -- What an operator confirmed: a difference between a caller's clock and ours, and a jump after this position.
    accepted_difference interval,
    accepted_jump_after bigint,
    accepted_jump_until timestamptz,
    -- Why the door to appends is shut; null is open.
    door_shut_because text,
    check (simulated is null or simulated = (simulated_clock is not null))
);
insert into ledger.state default values;

-- Not even the owner changes history by accident. A statement trigger costs an insert nothing.
create function ledger.refuse_to_rewrite() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only: what was recorded is never changed, write a correcting event';
end
$$;
create trigger event_is_append_only before update or delete or truncate on ledger.event
    for each statement execute function ledger.refuse_to_rewrite();

-- The append lock, until the end of the caller's transaction. Take it first, then read, then lock rows in other tables
-- (keys): that order everywhere, or two transactions wait for each other. READ COMMITTED, since any snapshot that is
-- kept over the wait would show a head older than the lock. Synced, since a position that was seen must never be given
-- twice.
create function ledger.hold() returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'the ledger is appended to under READ COMMITTED only, this transaction is %: begin it without an isolation level',
            upper(current_setting('transaction_isolation')) using errcode = 'invalid_transaction_state';
    end if;
    if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
        perform set_config('synchronous_commit', 'on', true);
    end if;
    perform pg_advisory_xact_lock(7310394218800002);
end
$$;

-- The ledger's clock: Postgres's, or the scenario's.
create function ledger.clock(state ledger.state) returns timestamptz language sql volatile
return case when (state).simulated then (state).simulated_clock else clock_timestamp() end;

-- Why an append is refused for its clocks, or null. `asked_at` is when the statement began: the wait for the lock is no
-- difference of clocks. A jump forwards could never be taken back, hence the thirty days.
create function ledger.doubt(
    state ledger.state, witness timestamptz, asked_at timestamptz, head bigint, last timestamptz
) returns text language plpgsql volatile
set search_path = pg_catalog, pg_temp as $$
declare
    difference interval := witness - asked_at;
    clock timestamptz := ledger.clock(state);
begin
    if state.simulated then
        return null;
    end if;
    if abs(extract(epoch from difference)) > 120
        and (state.accepted_difference is null
            or abs(extract(epoch from difference - state.accepted_difference)) > 120) then
        return format('the caller''s clock differs from the database''s by %s seconds: set right the one that is wrong, '
            'or confirm the database''s with `intabaza clock accept`', round(extract(epoch from difference)));
    end if;
    if clock > last + interval '30 days'
        and (state.accepted_jump_after is distinct from head or clock > state.accepted_jump_until) then
        return format('the database''s clock is %s days past the last event: set it right if it is wrong, '
            'or confirm it with `intabaza clock accept`', floor(extract(epoch from clock - last) / 86400));
    end if;
    return null;
end
$$;

-- Append a whole group of commands, in order, each all or nothing; one row per command says what became of it, and none
-- of them disturbs another. Commands, streams (appends) and events are numbered from 1 in the order of their arrays;
-- `append_member` and `event_append` say to which command a stream, and to which stream an event belongs.
--   repeated       this id with this mac is in the ledger already: read it back
--   reused         this id is in the ledger with another mac
--   burned         this id was asked about while it was absent
--   shut, doubtful the door or the clocks; `detail` says why
--   key_destroyed  a key named by `key_id` is absent or destroyed
--   home_changed   `stream` lives in `home`
--   conflict       `stream` is at version `actual`
--   accepted       its events stand from `first_position` on, recorded at `stamp`
-- Members of one group must not share a command or a stream that one of them writes: such a group is an error, and the
-- caller sends its members one by one.
create function ledger.append(
    witness timestamptz, splicing smallint,
    command_ids uuid[], command_macs bytea[],
    key_members integer[], key_ids uuid[],
    append_members integer[], streams text[], expected_versions bigint[], homes text[],
    event_appends integer[], event_ids uuid[], types text[], bodies bytea[]
) returns table (
    member integer, outcome text, detail text, stream text, expected bigint, actual bigint, home text,
    first_position bigint, stamp timestamptz, clock_behind boolean
) language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
-- The plan is made while the table is small and kept; it must still be right when it holds millions.
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    asked_at constant timestamptz := statement_timestamp();
    head bigint;
    last timestamptz;
    state ledger.state;
    clock timestamptz;
    recorded timestamptz;
    shut text;
    doubtful text;
    keyless integer[] := '{}';
    written bigint;
begin
    perform ledger.hold();
    select e.position, e.recorded_at into head, last from ledger.event e order by e.position desc limit 1;
    head := coalesce(head, 0);
    select s.* into strict state from ledger.state s;
    clock := ledger.clock(state);
    recorded := greatest(last, clock);
    shut := state.door_shut_because;
    doubtful := ledger.doubt(state, witness, asked_at, head, last);

    if exists (
        select from unnest(append_members, streams) with ordinality as a (member, stream, number)
        left join (select distinct unnest(event_appends)) as w (number) on w.number = a.number
        group by a.stream having count(*) > 1 and bool_or(w.number is not null)
    ) or (select count(distinct c) <> count(*) from unnest(command_ids) as c) then
        raise exception 'commands of one group share an id or a stream that one of them writes: send them one by one'
            using errcode = 'cardinality_violation';
    end if;
    if exists (
        select c.member from generate_subscripts(command_ids, 1) as c (member)
        except select append_members[e.append] from unnest(event_appends) as e (append)
    ) then
        raise exception 'a command of this group has no event: what is accepted writes at least one'
            using errcode = 'cardinality_violation';
    end if;

    if cardinality(key_ids) > 0 then
        with live as (
            select k.key_id from vault.key k
            where k.key_id = any (key_ids) and k.destroyed_at is null order by k.key_id for share
        )
        select coalesce(array_agg(distinct n.member), '{}') into keyless
        from unnest(key_members, key_ids) as n (member, key_id)
        where not exists (select from live where live.key_id = n.key_id);
    end if;

    return query
    with command as materialized (
        select c.member::integer as member, c.command_id, c.mac,
            (select e.command_mac from ledger.event e where e.command_id = c.command_id limit 1) as earlier,
            exists (select from ledger.burned b where b.command_id = c.command_id) as burned
        from unnest(command_ids, command_macs) with ordinality as c (command_id, mac, member)
    ), named as materialized (
        select a.number, a.member, a.stream, a.expected, a.home,
            coalesce(last_one.version, 0) as actual, coalesce(last_one.home, a.home) as lives_in
        from unnest(append_members, streams, expected_versions, homes)
            with ordinality as a (member, stream, expected, home, number)
        left join lateral (
            select e.version, e.home from ledger.event e where e.stream = a.stream order by e.version desc limit 1
        ) as last_one on true
    ), moved as materialized (
        select distinct on (n.member) n.* from named n
        where n.actual <> n.expected or n.lives_in <> n.home
        order by n.member, n.lives_in = n.home, n.number
    ), judged as materialized (
        select c.member, c.command_id, c.mac, m.stream, m.expected, m.actual, m.lives_in,
            case
                when c.earlier = c.mac then 'repeated'
                when c.earlier is not null then 'reused'
                when c.burned then 'burned'
                when shut is not null then 'shut'
                when doubtful is not null then 'doubtful'
                when c.member = any (keyless) then 'key_destroyed'
                when m.lives_in <> m.home then 'home_changed'
                when m.member is not null then 'conflict'
                else 'accepted'
            end as outcome
        from command c left join moved m on m.member = c.member
    ), placed as (
        insert into ledger.event as e (
            position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
        )
        select
            head + row_number() over (order by v.number), n.stream,
            n.expected + row_number() over (partition by v.append order by v.number),
            v.event_id, v.type, n.home, recorded, j.command_id, j.mac, v.body, splicing
        from unnest(event_appends, event_ids, types, bodies) with ordinality as v (append, event_id, type, body, number)
        join named n on n.number = v.append
        join judged j on j.member = n.member and j.outcome = 'accepted'
        returning e.position, e.command_id
    ), first_one as (
        select p.command_id, min(p.position) as position from placed p group by p.command_id
    )
    select j.member, j.outcome, coalesce(shut, doubtful), j.stream, j.expected, j.actual, j.lives_in,
        f.position, case when f.position is not null then recorded end, clock < last
    from judged j left join first_one f on f.command_id = j.command_id
    order by j.member;

    select max(e.position) into written from ledger.event e;
    if written > head then
        -- The first append decides what this ledger is.
        if state.simulated is null then
            update ledger.state s set simulated = false;
        end if;
        perform pg_notify('ledger', written::text);
    end if;
end
$$;

-- What became of a command. An absent id is burned under the append lock, because its first try may still be waiting
-- for that lock in a process that nobody hears any more.
create function ledger.ask(asked uuid) returns table (
    "position" bigint, stream text, version bigint, event_id uuid, recorded_at timestamptz
) language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    perform ledger.hold();
    return query select e.position, e.stream, e.version, e.event_id, e.recorded_at
        from ledger.event e where e.command_id = asked order by e.position;
    if not found then
        insert into ledger.burned (command_id, burned_at) values (asked, clock_timestamp()) on conflict do nothing;
    end if;
end
$$;

-- An operator confirms the database's clock: the difference from this caller's, and a jump from the present head.
create function ledger.accept_clock(witness timestamptz) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    difference interval := witness - statement_timestamp();
begin
    perform ledger.hold();
    update ledger.state set
        accepted_difference = case when abs(extract(epoch from difference)) > 120 then difference end,
        accepted_jump_after = coalesce((select max(position) from ledger.event), 0),
        accepted_jump_until = clock_timestamp() + interval '30 days';
end
$$;

-- Make an empty ledger a simulated one whose clock stands at `start`; a scenario does this once, before anything else.
create function ledger.simulate(start timestamptz) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform ledger.hold();
    update ledger.state set simulated = true, simulated_clock = start where simulated is null;
    if not found then
        raise exception 'this ledger was begun already: simulate in a new database';
    end if;
end
$$;

create function ledger.set_clock(moment timestamptz) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    state ledger.state;
begin
    perform ledger.hold();
    select * into strict state from ledger.state;
    if state.simulated is not true then
        raise exception 'this ledger is real and its clock is the database''s: only a simulated one is set';
    end if;
    if moment < state.simulated_clock then
        raise exception 'the clock stands at % and goes forward only', state.simulated_clock;
    end if;
    update ledger.state set simulated_clock = moment;
end
$$;

-- The relay shuts the door when Kafka knows more than the ledger, and opens it after the restore. Under the append lock:
-- once this has returned, nothing more comes in.
create function ledger.shut_door(because text) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform ledger.hold();
    update ledger.state set door_shut_because = because;
end
$$;

create function ledger.open_door() returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform ledger.hold();
    update ledger.state set door_shut_because = null;
end
$$;

revoke all on all functions in schema ledger from public;
grant usage on schema ledger to intabaza_app, intabaza_vault, intabaza_reader;
grant select on ledger.event, ledger.burned, ledger.state to intabaza_app, intabaza_reader;
grant execute on function
    ledger.hold, ledger.append, ledger.ask, ledger.accept_clock, ledger.set_clock, ledger.shut_door, ledger.open_door
    to intabaza_app;
-- The vault destroys a key under the append lock, so that no append is half-way through with it.
grant execute on function ledger.hold to intabaza_vault;
