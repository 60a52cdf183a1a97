-- name: end
-- How far a pack may speak: what Kafka has acknowledged, since a restored ledger may lack the rest.
select least((select coalesce(max(position), 0) from ledger.event), (select max(acknowledged) from relay.progress))

-- name: recorded_by
-- The last position recorded by an instant.
select coalesce(max(position), 0) from ledger.event where recorded_at <= $1

-- name: recorded_at
-- When a position was recorded.
select recorded_at from ledger.event where position = $1

-- name: first
-- Where a stream begins.
select position, home, body from ledger.event where stream = $1 and version = 1 and position <= $2

-- name: ties
-- What ties these streams ($1) to others, up to a position; $3 are the types that do.
select stream, type, body from ledger.event where stream = any ($1::text[]) and type = any ($3::text[]) and position <= $2
order by position

-- name: streams
-- Where whole streams stand.
select position from ledger.event where stream = any ($1::text[]) and position <= $2

-- name: naming
-- The events of these streams ($1), from a position on, whose bytes hold one of these words: ids are spelt in one way.
select position from ledger.event
where stream = any ($1::text[]) and position between $4 and $2 and exists (
    select from unnest($3::text[]) as word where position(convert_to(word, 'UTF8') in body) > 0
)

-- name: of_unit
-- Changes of a unit's level ($1) and what was told of it ($2) since a position, a page at a time.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event
where stream = any ($1::text[]) and position > $2 and position <= $3 order by position limit 500

-- name: rows
-- Columns in the order of `Recorded`.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where position = any ($1::bigint[]) order by position

-- name: sealed
-- How many of these events hold anything sealed, of cases and reports.
select count(*) from ledger.event
where
    position = any ($1::bigint[]) and split_part(stream, '/', 1) = any ($2::text[])
    and position(convert_to('"kid":', 'UTF8') in body) > 0
