-- What the relay remembers: how far each partition's chain is on Kafka, and up to where everything is. Only the session
-- that holds the leader's lock writes it, and only forwards: whoever lost the lock while it was frozen changes nothing.

create schema relay authorization intabaza_owner;

set local role intabaza_owner;
revoke all on schema relay from public;

create table relay.progress (
    singleton boolean primary key default true check (singleton),
    -- Every position up to here was acknowledged by Kafka, in every partition that it goes to.
    acknowledged bigint not null default 0,
    -- Why nothing is sent at present, as a sentence; null while the relay does its work.
    halted_because text,
    -- The sentence that the relay shut the door to appends with; what others shut it never opens.
    door_shut_because text
);
insert into relay.progress default values;

-- The last record of each partition's chain, and the offset after it. `topic_id` tells a topic from a later one of the
-- same name.
create table relay.partition (
    topic text not null,
    partition integer not null,
    topic_id uuid not null,
    last_position bigint not null,
    next_offset bigint not null,
    primary key (topic, partition)
);

-- Records that are not ours: where they stand, and nothing of what they hold.
create table relay.foreign_record (
    topic_id uuid not null,
    partition integer not null,
    record_offset bigint not null,
    topic text not null,
    bytes integer not null,
    seen_at timestamptz not null default clock_timestamp(),
    primary key (topic_id, partition, record_offset)
);

-- Topics that an operator wants made anew: the one with this id goes, and everything is sent again.
create table relay.republication (
    topic text primary key,
    topic_id uuid not null,
    asked_at timestamptz not null default clock_timestamp()
);

-- The alert before an alert, without reading what lies between.
create index event_alerts on ledger.event (position) where type = 'alert.issued';

-- Whether this session is the leader. One lock; the server lets go of it when the session ends, however it ends.
create function relay.leads() returns boolean language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from pg_locks
        where locktype = 'advisory' and granted and pid = pg_backend_pid() and objsubid = 1
        and database = (select oid from pg_database where datname = current_database())
        and (classid::bigint << 32 | objid::bigint) = 7310394218800003
    )
$$;

-- Take the lock if it is free; taking it again in the same session changes nothing.
create function relay.try_to_lead() returns boolean language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    select relay.leads() or pg_try_advisory_lock(7310394218800003)
$$;

create function relay.refuse_who_does_not_lead() returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not relay.leads() then
        raise exception 'only the leading relay writes how far it is: this session does not hold the lock'
            using errcode = 'insufficient_privilege';
    end if;
end
$$;

-- After each acknowledged batch: the partitions that moved, and up to where everything is on Kafka.
create function relay.save(
    topics text[], partitions integer[], topic_ids uuid[], last_positions bigint[], next_offsets bigint[],
    through bigint
) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    moved bigint;
begin
    perform relay.refuse_who_does_not_lead();
    insert into relay.partition as p (topic, partition, topic_id, last_position, next_offset)
        select * from unnest(topics, partitions, topic_ids, last_positions, next_offsets)
        on conflict (topic, partition) do update
            set last_position = excluded.last_position, next_offset = excluded.next_offset
            where p.topic_id = excluded.topic_id and p.last_position <= excluded.last_position;
    update relay.progress set acknowledged = through where acknowledged < through returning acknowledged into moved;
    if moved is not null then
        perform pg_notify('relay', moved::text);
    end if;
end
$$;

-- A topic was made anew: nothing is on it yet, so not everything is on Kafka any more.
create function relay.begin_anew(begun text) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform relay.refuse_who_does_not_lead();
    delete from relay.partition where topic = begun;
    delete from relay.republication where topic = begun;
    update relay.progress set acknowledged = 0, halted_because = null;
end
$$;

create function relay.note_halt(because text, door text) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform relay.refuse_who_does_not_lead();
    update relay.progress set halted_because = because, door_shut_because = door
        where (halted_because, door_shut_because) is distinct from (because, door);
end
$$;

-- True for a record that nobody has seen before.
create function relay.note_foreign(
    foreign_topic text, foreign_topic_id uuid, foreign_partition integer, foreign_offset bigint, size integer
) returns boolean language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform relay.refuse_who_does_not_lead();
    insert into relay.foreign_record (topic, topic_id, partition, record_offset, bytes)
        values (foreign_topic, foreign_topic_id, foreign_partition, foreign_offset, size) on conflict do nothing;
    return found;
end
$$;

-- An operator asks; the leader does it. The id says which topic is meant, so that no later one is ever deleted for it.
create function relay.ask_to_republish(asked text, asked_id uuid) returns void language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    insert into relay.republication as r (topic, topic_id) values (asked, asked_id)
        on conflict (topic) do update set topic_id = excluded.topic_id;
    select pg_notify('relay', '');
$$;

-- Up to here everything is on Kafka: what `?wait=published` waits for, and how far effects on the world may go.
create function relay.acknowledged() returns bigint language sql stable security definer
set search_path = pg_catalog, pg_temp as $$ select acknowledged from relay.progress $$;

revoke all on all functions in schema relay from public;
grant usage on schema relay to intabaza_app, intabaza_reader;
grant select on all tables in schema relay to intabaza_app, intabaza_reader;
grant execute on all functions in schema relay to intabaza_app;
grant execute on function relay.acknowledged to intabaza_reader;
