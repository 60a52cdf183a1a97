-- A ledger that lost events is completed from Kafka, by whoever owns the database and by nobody else: nothing here is
-- granted. What was recorded is not changed: rows are added behind the last one, as they were, and never at another place.

set local role intabaza_owner;

-- Shuts the door with a sentence that the relay counts as its own, so that it opens it once it has seen that ledger and
-- Kafka agree. A door that is shut already stays shut by whoever shut it.
create function relay.shut_for_restoring(because text) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform ledger.hold();
    update ledger.state set door_shut_because = because where door_shut_because is null;
    if found then
        update relay.progress set door_shut_because = because;
    end if;
end
$$;

-- Adds rows behind position `after`, which must be the last; all of them or none. Streams go on by one in their home,
-- times never go back, a command has one mac, and the door is shut, or an append could take a position of theirs.
-- `simulate` says what a ledger is that nobody began yet; the clock of a simulated one is never behind its last event.
create function ledger.restore(
    after bigint, simulate boolean,
    streams text[], versions bigint[], event_ids uuid[], types text[], homes text[], moments timestamptz[],
    command_ids uuid[], command_macs bytea[], bodies bytea[], splicings smallint[]
) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    head bigint;
    last timestamptz;
    state ledger.state;
    wrong text;
begin
    perform ledger.hold();
    select e.position, e.recorded_at into head, last from ledger.event e order by e.position desc limit 1;
    head := coalesce(head, 0);
    if head <> after then
        raise exception 'the ledger ends at position % now and no more at %: somebody else restores it, or appended', head, after
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    select s.* into strict state from ledger.state s;
    if state.door_shut_because is null then
        raise exception 'the door to appends is open: shut it before anything is restored'
            using errcode = 'object_not_in_prerequisite_state';
    end if;

    select format('position %s was recorded before the one that stands before it', after + m.number) into wrong
    from (
        select number, moment, lag(moment, 1, last) over (order by number) as before
        from unnest(moments) with ordinality as t (moment, number)
    ) as m
    where m.moment < m.before order by m.number limit 1;
    if wrong is not null then
        raise exception '%', wrong using errcode = 'data_exception';
    end if;

    select format('position %s is version %s of %s in %s, and the ledger has it up to version %s in %s',
            after + n.number, n.version, n.stream, n.home, n.expected - 1, n.lives_in)
        into wrong
    from (
        select r.number, r.stream, r.version, r.home,
            coalesce(l.version, 0) + row_number() over (partition by r.stream order by r.number) as expected,
            coalesce(l.home, first_value(r.home) over (partition by r.stream order by r.number)) as lives_in
        from unnest(streams, versions, homes) with ordinality as r (stream, version, home, number)
        left join lateral (
            select e.version, e.home from ledger.event e where e.stream = r.stream order by e.version desc limit 1
        ) as l on true
    ) as n
    where n.version <> n.expected or n.home <> n.lives_in order by n.number limit 1;
    if wrong is not null then
        raise exception '%', wrong using errcode = 'data_exception';
    end if;

    select format('position %s has a command of another commandmac', after + c.number) into wrong
    from (
        select r.number, r.mac,
            coalesce(
                (select e.command_mac from ledger.event e where e.command_id = r.command_id limit 1),
                first_value(r.mac) over (partition by r.command_id order by r.number)
            ) as expected
        from unnest(command_ids, command_macs) with ordinality as r (command_id, mac, number)
    ) as c
    where c.mac <> c.expected order by c.number limit 1;
    if wrong is not null then
        raise exception '%', wrong using errcode = 'data_exception';
    end if;

    insert into ledger.event (
        position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
    )
    select after + r.number, r.stream, r.version, r.event_id, r.type, r.home, r.moment, r.command_id, r.mac, r.body,
        r.splicing
    from unnest(
        streams, versions, event_ids, types, homes, moments, command_ids, command_macs, bodies, splicings
    ) with ordinality as r (
        stream, version, event_id, type, home, moment, command_id, mac, body, splicing, number
    );

    select max(moment) into last from unnest(moments) as t (moment);
    update ledger.state s set
        simulated = coalesce(s.simulated, simulate),
        simulated_clock = case when coalesce(s.simulated, simulate) then greatest(s.simulated_clock, last) end
    where s.simulated is null or (s.simulated and s.simulated_clock < last);
    perform pg_notify('ledger', (after + cardinality(streams))::text);
end
$$;

revoke all on function relay.shut_for_restoring, ledger.restore from public;
reset role;
