-- name: event
-- Columns in the order of `Recorded`; so below.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where event_id = $1

-- name: position
-- The same by its position.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where position = $1

-- name: version
-- The same by its place in its stream.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where stream = $1 and version = $2

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
-- Which of these streams ($1) have an event from position $3 on whose bytes hold one of these words ($2): ids and
-- moments are spelt in one way alone. A stream's versions are in order of positions, so the first that counts is found
-- by halving, and what lies before it is not read.
with recursive half (stream, low, high) as (
    select wanted.stream, 1::bigint, last.version + 1
    from unnest($1::text[]) as wanted (stream)
    cross join lateral (
        select e.version from ledger.event e where e.stream = wanted.stream order by e.version desc limit 1
    ) as last
    union all
    select
        half.stream,
        case when e.position < $3 then (half.low + half.high) / 2 + 1 else half.low end,
        case when e.position < $3 then half.high else (half.low + half.high) / 2 end
    from half join ledger.event e on e.stream = half.stream and e.version = (half.low + half.high) / 2
    where half.low < half.high
)
select half.stream from half
where half.low = half.high and exists (
    select from ledger.event e
    where e.stream = half.stream and e.version >= half.low and exists (
        select from unnest($2::text[]) as word where position(convert_to(word, 'UTF8') in e.body) > 0
    )
)

-- name: same_moments
-- What was recorded at moments ($1), each in one home ($2) or for all of them. Positions are in order of time, so the
-- first of a moment and the first after it (`past`) are found by halving, and nothing else is read: each moment is looked
-- up by itself, since a plan for all of them at once reads the whole ledger.
with recursive half (moment, past, low, high) as (
    select distinct wanted.moment, past, 1::bigint, (select coalesce(max(position), 0) + 1 from ledger.event)
    from unnest($1::timestamptz[]) as wanted (moment) cross join unnest(array [false, true]) as past
    union all
    select
        half.moment,
        half.past,
        case when here.before then (half.low + half.high) / 2 + 1 else half.low end,
        case when here.before then half.high else (half.low + half.high) / 2 end
    from half
    cross join lateral (
        select e.recorded_at < half.moment or (half.past and e.recorded_at = half.moment) as before
        from ledger.event e where e.position = (half.low + half.high) / 2
    ) as here
    where half.low < half.high
),
found as (
    select moment, min(low) filter (where not past) as first, min(low) filter (where past) as after
    from half where low = high group by moment
)
select e.position, e.stream, e.version, e.event_id, e.type, e.home, e.recorded_at, e.command_id, e.command_mac, e.body,
    e.splice_version
from found
cross join lateral (
    select * from ledger.event one
    where one.position >= found.first and one.position < found.after order by one.position limit $3
) as e
where e.home = '*'
    or exists (
        select from unnest($1::timestamptz[], $2::text[]) as wanted (moment, home)
        where wanted.moment = found.moment and wanted.home = e.home
    )
order by e.position
limit $3

-- name: messages
-- By which messages subscribers were told of these events; none of their addresses.
select subscriber_id, event_id, position, resends, attempts, first_at, last_at, status, delivered_at
from notifier.delivery where event_id = any ($1::uuid[]) order by position, resends, subscriber_id limit $2

-- name: head
-- How far this answer speaks.
select coalesce(max(position), 0) from ledger.event

-- name: marks
-- How far the links of reports and the levels are in each partition, how far the relay is in each and in all (`null`).
select place, partition, last_position as position from projections.watermark where place in ('case_timeline', 'alert_level')
union all
select 'relay', partition, last_position from relay.partition where topic = 'events.v1'
union all
select 'relay', null, acknowledged from relay.progress

-- name: parked
-- Keys that these projections could not take an event of, and the homes that they live in: a key is a home or a stream.
select parked.place, coalesce(first.home, parked.key) as home, parked.position
from projections.parked
left join ledger.event as first on first.stream = parked.key and first.version = 1
where parked.place in ('case_timeline', 'alert_level')

-- name: waits
-- What stands first of these homes ($3; null is all) after a position, among at most $4 events, of streams of these
-- categories ($2): what the projections read, and not what they say of it.
select min(next.position) as position from (
    select position from ledger.event
    where position > $1 and position <= $1 + $4
        and split_part(stream, '/', 1) = any ($2::text[]) and type <> 'alert.issued'
        and ($3::text[] is null or home = '*' or home = any ($3))
    order by position
    limit 1
) as next

-- name: untold
-- How many subscribers are not through with alerts ($1, at positions $2), and how far the last of them is.
select count(distinct s.subscriber_id) as waiting, min(s.position) as since
from notifier.subscriber s
cross join unnest($1::uuid[], $2::bigint[]) as alert (event_id, position)
where s.disabled_since is null and s.position < alert.position and not exists (
    select from notifier.delivery d where d.subscriber_id = s.subscriber_id and d.event_id = alert.event_id
)
