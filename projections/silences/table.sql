-- name: definition
-- Times stay text, as the fold compares and spells them. What is held back stands in `body`, as it was said.
create table silence (
    silence_id text collate "C" primary key,
    stream text collate "C" not null,
    unit text collate "C" not null,
    home text collate "C" not null,
    partition integer not null,
    since text collate "C" not null,
    until text collate "C" not null,
    by text collate "C" not null,
    body json not null,
    ended_at text collate "C",
    how text collate "C"
);
create index silence_standing on silence (partition, until) where ended_at is null;
create index silence_of on silence (stream) where ended_at is null;

-- name: write_begun
-- One that is begun.
insert into silence (silence_id, stream, unit, home, partition, since, until, by, body)
select silence_id, stream, unit, home, partition, since, until, by, body::json
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], :partition)
    as row (silence_id, stream, unit, home, since, until, by, body, partition)

-- name: write_over
-- One that is over, also where it was begun in the same page: all that were begun are written before.
update silence as one set ended_at = row.ended_at, how = row.how
from unnest($1::text[], $2::text[], $3::text[]) as row (silence_id, ended_at, how)
where one.silence_id = row.silence_id

-- name: load
-- Those that stand of the streams $1.
select silence_id, stream, home, since, by, body from silence where stream = any ($1::text[]) and ended_at is null

-- name: dues
-- When the next of each unit of a partition is over.
select min(until) as due, stream from silence where partition = $1 and ended_at is null group by stream

-- name: silences
-- One page of them, the latest first. Of units $1 (null: all); where $2 is not null, only those that stand, or that are
-- over; after the one with `since` $3 and id $4 (null: from the first); at most $5.
select silence_id, unit, since, until, by, body, ended_at, how
from silence
where ($1::text[] is null or unit = any ($1))
    and ($2::boolean is null or (ended_at is null) = $2)
    and ($4::text is null or (since, silence_id) < ($3, $4))
order by since desc, silence_id desc
limit $5

-- name: one
-- The silence $1.
select silence_id, unit, since, until, by, body, ended_at, how from silence where silence_id = $1

-- name: digest
-- Every one.
select jsonb_build_array(silence_id, stream, unit, home, since, until, by, body, ended_at, how)::text
from silence order by silence_id
