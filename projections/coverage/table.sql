-- name: definition
-- Days and times stay text, as the fold compares and spells them. Who watches stands where no column `unit` lets a reader
-- of the API see it.
create table coverage_unit (
    unit text collate "C" primary key,
    home text collate "C" not null,
    partition integer not null,
    state text collate "C" not null,
    since text not null,
    last_sign text,
    told_lost boolean not null,
    told integer not null,
    confidence text collate "C" not null,
    confidence_reason text collate "C" not null,
    reporters integer not null,
    silent integer not null,
    next_due text
);
create table coverage_channel (
    unit text collate "C" not null,
    channel text collate "C" not null,
    home text collate "C" not null,
    partition integer not null,
    state text collate "C" not null,
    since text not null,
    last_sign text,
    told_lost boolean not null,
    told integer not null,
    primary key (unit, channel)
);
create table coverage_source (
    home text collate "C" not null,
    source text collate "C" not null,
    partition integer not null,
    body text not null,
    primary key (home, source)
);
create table coverage_home (
    home text collate "C" primary key,
    partition integer not null,
    due text,
    due_day integer not null
);

-- name: write_unit
-- A unit as it stands, and what was told of it.
insert into coverage_unit (
    unit, home, partition, state, since, last_sign, told_lost, told, confidence, confidence_reason, reporters, silent,
    next_due
)
select unit, home, partition, state, since, last_sign, told_lost, told, confidence, confidence_reason, reporters,
    silent, next_due
from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::integer[], $8::text[], $9::text[],
    $10::integer[], $11::integer[], $12::text[], :partition
) as row (
    unit, home, state, since, last_sign, told_lost, told, confidence, confidence_reason, reporters, silent, next_due,
    partition
)
on conflict (unit) do update set
    state = excluded.state, since = excluded.since, last_sign = excluded.last_sign, told_lost = excluded.told_lost,
    told = excluded.told, confidence = excluded.confidence, confidence_reason = excluded.confidence_reason,
    reporters = excluded.reporters, silent = excluded.silent, next_due = excluded.next_due

-- name: write_channel
-- A channel of a unit as it stands, and what was told of it.
insert into coverage_channel (unit, channel, home, partition, state, since, last_sign, told_lost, told)
select unit, channel, home, partition, state, since, last_sign, told_lost, told
from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::integer[], :partition
) as row (unit, channel, home, state, since, last_sign, told_lost, told, partition)
on conflict (unit, channel) do update set
    state = excluded.state, since = excluded.since, last_sign = excluded.last_sign, told_lost = excluded.told_lost,
    told = excluded.told

-- name: write_source
-- What is known of who watches.
insert into coverage_source (home, source, partition, body)
select home, source, partition, body
from unnest($1::text[], $2::text[], $3::text[], :partition) as row (home, source, body, partition)
on conflict (home, source) do update set body = excluded.body

-- name: write_home
-- When a unit of a home turns.
insert into coverage_home (home, partition, due, due_day)
select home, partition, due, due_day
from unnest($1::text[], $2::text[], $3::integer[], :partition) as row (home, due, due_day, partition)
on conflict (home) do update set due = excluded.due, due_day = excluded.due_day

-- name: load_units
-- Units of a partition ($1), or of some homes by name ($2); so below.
select * from coverage_unit where partition = $1 or home = any ($2::text[])

-- name: load_channels
-- Their channels.
select * from coverage_channel where partition = $1 or home = any ($2::text[])

-- name: load_sources
-- Who watches them.
select home, source, body from coverage_source where partition = $1 or home = any ($2::text[])

-- name: load_homes
-- When they turn.
select home, due, due_day from coverage_home where partition = $1 or home = any ($2::text[])

-- name: dues
-- When something falls due in each home of a partition.
select due, home from coverage_home where partition = $1 and due is not null

-- name: units
-- One page of units that somebody was ever assigned to, in order of their ids. Of units $1, states $2 and confidences $3,
-- each null for all; after the unit $4 (null: from the first), at most $5 of them.
select unit, home, state, since, last_sign, confidence, confidence_reason, reporters, silent, next_due
from coverage_unit
where ($1::text[] is null or unit = any ($1))
    and ($2::text[] is null or state = any ($2))
    and ($3::text[] is null or confidence = any ($3))
    and ($4::text is null or unit > $4)
order by unit
limit $5

-- name: channels
-- The channels of the units $1.
select unit, channel, state, since, last_sign from coverage_channel where unit = any ($1::text[]) order by unit, channel

-- name: digest_units
-- Every unit.
select jsonb_build_array('unit', unit, home, state, since, last_sign, told_lost, told, confidence, confidence_reason,
    reporters, silent, next_due)::text
from coverage_unit order by unit

-- name: digest_channels
-- Every channel.
select jsonb_build_array('channel', unit, channel, home, state, since, last_sign, told_lost, told)::text
from coverage_channel order by unit, channel

-- name: digest_sources
-- Who watches.
select jsonb_build_array('source', home, source, body)::text from coverage_source order by home, source

-- name: digest_homes
-- What is due where. Whether a home in which nothing is due has a row says only how often was written.
select jsonb_build_array('home', home, due)::text from coverage_home where due is not null order by home
