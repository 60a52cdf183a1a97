-- name: event
-- Columns in the order of `Recorded`; so below.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where event_id = $1

-- name: position
-- The same by its position.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where position = $1

-- name: command
-- What was recorded together with it.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where command_id = $1 order by position limit $2

-- name: streams
-- Whole streams, in order of recording.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where stream = any ($1::text[]) order by position limit $2

-- name: cases_of
-- Cases to which a report was ever linked, and what it was received as later.
select distinct stream from case_timeline.case_timeline_link
where other = any ($1::text[]) and kind in ('report', 'earlier') order by stream limit $2

-- name: levels_of
-- The streams of levels of these homes ($1; null is all of them): one step over the index for each stream there is.
with recursive step (stream) as (
    (select stream from ledger.event where stream >= 'level/' order by stream limit 1)
    union all
    select (select e.stream from ledger.event e where e.stream > step.stream order by e.stream limit 1)
    from step where step.stream < 'level0'
)
select step.stream from step
join ledger.event e on e.stream = step.stream and e.version = 1
where step.stream < 'level0' and ($1::text[] is null or e.home = any ($1))

-- name: naming
-- Which of these streams ($1) have an event whose bytes hold one of these words ($2): ids and moments are spelt in one
-- way alone.
select distinct e.stream from ledger.event e
where e.stream = any ($1::text[]) and exists (
    select from unnest($2::text[]) as word where position(convert_to(word, 'UTF8') in e.body) > 0
)

-- name: same_moment
-- What was recorded at one moment in one home. Positions are in order of time, so the first is found by halving.
with recursive half (low, high) as (
    select 0::bigint, coalesce(max(position), 0) from ledger.event
    union all
    select
        case when e.recorded_at < $1 then (half.low + half.high) / 2 + 1 else half.low end,
        case when e.recorded_at < $1 then half.high else (half.low + half.high) / 2 end
    from half join ledger.event e on e.position = greatest((half.low + half.high) / 2, 1)
    where half.low < half.high
)
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event
where position >= (select max(low) from half) and position < (select max(low) from half) + $3
    and recorded_at = $1 and home in ($2, '*')
order by position

-- name: messages
-- By which messages subscribers were told of these events; none of their addresses.
select subscriber_id, event_id, position, resends, attempts, first_at, last_at, status, delivered_at
from notifier.delivery where event_id = any ($1::uuid[]) order by position, resends, subscriber_id limit $2

-- name: head
-- How far this answer speaks.
select coalesce(max(position), 0) from ledger.event
