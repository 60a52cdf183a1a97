-- name: one_at_a_time
-- Held by the session that folds: one moment at a time, whoever asks and however many processes there are.
select pg_advisory_lock(7310394218800025)

-- name: one_at_a_time_no_more
-- The next one may begin.
select pg_advisory_unlock(7310394218800025)

-- name: stands
-- The place of a projection ($1) of this version ($2) and form ($3) at a position ($4), if it stands; it was asked for now.
update projections.past set asked_at = clock_timestamp()
where projection = $1 and version = $2 and form = $3 and position = $4 returning place

-- name: nearest
-- The highest place of a projection of this version and form before a position.
select place, position from projections.past
where projection = $1 and version = $2 and form = $3 and position < $4 order by position desc limit 1

-- name: note
-- A place is whole.
insert into projections.past (place, projection, version, form, position) values ($1, $2, $3, $4, $5)
on conflict (place) do update set version = excluded.version, form = excluded.form, asked_at = clock_timestamp()

-- name: forget
-- It goes.
delete from projections.past where place = $1

-- name: known
-- All places, those first that were asked for last.
select place, projection, version, form, position from projections.past order by asked_at desc, position desc

-- name: schemas
-- Every schema that could be such a place, also one that was left half made.
select nspname as place from pg_namespace where nspname like 'past\_%' order by nspname

-- name: sizes
-- What each of them takes on the disk.
select n.nspname as place, sum(pg_total_relation_size(c.oid))::bigint as bytes
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname like 'past\_%' and c.relkind = 'r'
group by n.nspname

-- name: tables
-- The tables of a place.
select c.relname as name from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' order by c.relname

-- name: copy_watermarks
-- How far a place has come goes along with its rows; its generation too, as what was read in the one is folded into the
-- other.
insert into projections.watermark (
    place, partition, projection, version, form, topic_id, next_offset, last_position, next_due, generation
)
select $2, partition, projection, version, form, topic_id, next_offset, last_position, next_due, generation
from projections.watermark where place = $1

-- name: copy_shared
-- What broadcasts told too.
insert into projections.shared (place, partition, body) select $2, partition, body from projections.shared where place = $1

-- name: copy_parked
-- And what waits.
insert into projections.parked (place, partition, key, position, why, shared, parked_at)
select $2, partition, key, position, why, shared, parked_at from projections.parked where place = $1

-- name: acknowledged
-- Up to here everything is on Kafka, in every partition; asked by who answers.
select relay.acknowledged()
