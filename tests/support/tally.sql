-- name: definition
-- One row a key.
create table tally (
    key text collate "C" primary key,
    partition integer not null,
    events integer not null,
    rolling bigint not null,
    fired integer not null,
    heeded integer not null,
    due text
);

-- name: load
-- The states of some keys.
select key, events, rolling, fired, heeded, due from tally where key = any ($1)

-- name: load_partition
-- Every key of a partition.
select key, events, rolling, fired, heeded, due from tally where partition = $1

-- name: dues
-- What falls due.
select due, key from tally where partition = $1 and due is not null

-- name: write_tally
-- Each key as it is now.
insert into tally (key, events, rolling, fired, heeded, due, partition)
select * from unnest($1::text[], $2::int[], $3::bigint[], $4::int[], $5::int[], $6::text[], :partition)
on conflict (key) do update set events = excluded.events, rolling = excluded.rolling, fired = excluded.fired,
    heeded = excluded.heeded, due = excluded.due

-- name: digest
-- In canonical order.
select jsonb_build_array(key, events, rolling, fired, heeded, due)::text from tally order by key
