-- Projections: who writes them, and how far each has come. Their own tables are made by the processors, each projection
-- in a schema of its name, because they can be made anew from Kafka at any time.

do $$
begin
    if not exists (select from pg_roles where rolname = 'intabaza_projector') then
        begin
            create role intabaza_projector
                login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;  -- the processors
        exception when duplicate_object or unique_violation then
            null;  -- another database of this cluster was faster
        end;
    end if;
    -- It makes the projections' schemas; a restore into a new database must give this again.
    execute format('grant create on database %I to intabaza_projector', current_database());
end
$$;

create schema projections authorization intabaza_owner;
set local role intabaza_owner;

-- How far a projection has folded one partition. `place` is the schema that its rows stand in: the projection's name
-- for the live one, another for one that is being rebuilt. `generation` changes with every swap and repair, so that a
-- worker that folded something else in its memory can commit nothing.
create table projections.watermark (
    place text collate "C" not null,
    partition integer not null check (partition >= 0),
    projection text collate "C" not null,
    version integer not null,
    generation uuid not null default gen_random_uuid(),
    topic_id uuid not null,
    -- A hint where to seek: the record before it is `last_position`'s, or the place is searched by position.
    next_offset bigint not null default 0,
    last_position bigint not null default 0,
    next_due timestamptz,
    primary key (place, partition)
);

-- What broadcasts have told a projection's fold in one partition; written only when a broadcast changed it.
create table projections.shared (
    place text collate "C" not null,
    partition integer not null,
    body json not null,
    primary key (place, partition)
);

-- Keys that could not take an event. What queues behind is in the ledger: the key's events and the broadcasts from
-- `position` on. `shared` is what broadcasts had told until then.
create table projections.parked (
    place text collate "C" not null,
    partition integer not null,
    key text collate "C" not null,
    position bigint not null,
    why text not null,
    shared json not null,
    parked_at timestamptz not null default clock_timestamp(),
    resume_asked boolean not null default false,
    primary key (place, key)
);

grant usage on schema projections to intabaza_projector, intabaza_app, intabaza_reader;
grant select, insert, update, delete on all tables in schema projections to intabaza_projector;
grant select on all tables in schema projections to intabaza_app, intabaza_reader;

-- A processor appends the events that it derives, last in its watermark's transaction.
grant usage on schema ledger to intabaza_projector;
grant select on ledger.event, ledger.state to intabaza_projector;
grant execute on function ledger.hold, ledger.append to intabaza_projector;
reset role;
