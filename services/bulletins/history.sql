-- name: after
-- Alerts of the streams $4 (null: all) after position $1 and up to $2, the oldest first, at most $3; each with how many
-- alerts its hour had before it. Days are those of the alerts, from $5 on and up to $6 (null: any).
select
    position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version,
    (
        select count(*) from ledger.event earlier
        where earlier.type = 'alert.issued' and earlier.position < event.position
            and earlier.recorded_at >= date_trunc('hour', event.recorded_at, 'UTC')
            and earlier.recorded_at <= event.recorded_at
    ) as earlier_in_its_hour
from ledger.event
where type = 'alert.issued' and position > $1 and position <= $2 and ($4::text[] is null or stream = any ($4))
    and ($5::date is null or (convert_from(body, 'UTF8')::jsonb #>> '{data,on}')::date >= $5)
    and ($6::date is null or (convert_from(body, 'UTF8')::jsonb #>> '{data,on}')::date <= $6)
order by position
limit $3

-- name: before
-- The same without days, before position $1 and up to $2, the latest first: what a reader of a feed asks for.
select
    position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version,
    (
        select count(*) from ledger.event earlier
        where earlier.type = 'alert.issued' and earlier.position < event.position
            and earlier.recorded_at >= date_trunc('hour', event.recorded_at, 'UTC')
            and earlier.recorded_at <= event.recorded_at
    ) as earlier_in_its_hour
from ledger.event
where type = 'alert.issued' and position < $1 and position <= $2 and ($4::text[] is null or stream = any ($4))
order by position desc
limit $3

-- name: one
-- The alert with the id $1, if it stands at a position up to $2.
select
    position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version,
    (
        select count(*) from ledger.event earlier
        where earlier.type = 'alert.issued' and earlier.position < event.position
            and earlier.recorded_at >= date_trunc('hour', event.recorded_at, 'UTC')
            and earlier.recorded_at <= event.recorded_at
    ) as earlier_in_its_hour
from ledger.event
where event_id = $1 and type = 'alert.issued' and position <= $2

-- name: chain
-- The alerts of one stream before a version, the latest first: those whose place a later one takes are among them.
select
    position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version,
    (
        select count(*) from ledger.event earlier
        where earlier.type = 'alert.issued' and earlier.position < event.position
            and earlier.recorded_at >= date_trunc('hour', event.recorded_at, 'UTC')
            and earlier.recorded_at <= event.recorded_at
    ) as earlier_in_its_hour
from ledger.event
where stream = $1 and position < $2 and type = 'alert.issued'
order by version desc
limit $3

-- name: latest
-- What was told last, in earnest and up to position $1, in each of the streams $2: one look into each, however long it is.
select last.*, 0::bigint as earlier_in_its_hour
from unnest($2::text[]) as wanted (name)
cross join lateral (
    select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
    from ledger.event
    where stream = wanted.name and type = 'alert.issued' and position <= $1
        and convert_from(body, 'UTF8')::jsonb ->> 'mode' = 'actual'
    order by version desc
    limit 1
) as last

-- name: up_to
-- When the last event up to position $1 was recorded, whatever it was.
select recorded_at
from ledger.event
where position <= $1
order by position desc
limit 1

-- name: last
-- The id of the last alert of the streams $2 (null: all) up to position $1.
select event_id
from ledger.event
where type = 'alert.issued' and position <= $1 and ($2::text[] is null or stream = any ($2))
order by position desc
limit 1
