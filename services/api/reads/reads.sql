-- name: absorbed
-- Cases that were merged into the case $1.
select stream from case_board where merged_into = $1 order by stream

-- name: of_recipient
-- One page of everything that the recipient $1 was ever asked for, what is due next first. Of units $2, null for all;
-- after the last row of the page before ($3 deadline, $4 stream, $5 referral); at most $6 rows.
select *, coalesce(next_due, 'infinity') as deadline
from referral_board
where recipient = $1
    and ($2::text[] is null or unit = any ($2))
    and ($4::text is null or (coalesce(next_due, 'infinity'), stream, referral_id) > ($3::timestamptz, $4, $5::uuid))
order by coalesce(next_due, 'infinity'), stream, referral_id
limit $6

-- name: recipients
-- Every recipient's entry as it stands. The names of streams are in the order of bytes, and '.' follows '-'.
select distinct on (stream)
    position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event
where stream >= 'reference/recipient-' and stream < 'reference/recipient.'
order by stream, version desc

-- name: alerts
-- What strangers were told, of the streams $4 (null: all), after position $1 and up to $2; at most $3.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event
where type = 'alert.issued' and position > $1 and position <= $2 and ($4::text[] is null or stream = any ($4))
order by position
limit $3

-- name: standing_alerts
-- Units where an alert stands, all or those of $1 (null: all), after the unit $2 (null: from the first), at most $3 of
-- them, with who acknowledged it up to the position $5 (null: now); where $4 is not null, only those that were, or were
-- not. Nobody else's stream is read.
select said.unit, said.told, said.told_at, said.alert, ack.recorded_at as acknowledged_at,
    ack.body ->> 'actorrole' as acknowledged_by
from alert_level_said as said
left join lateral (
    select e.recorded_at, convert_from(e.body, 'UTF8')::jsonb as body
    from ledger.event as e
    where e.stream = 'alert/' || said.unit and e.type = 'alert.acknowledged'
        and ($5::bigint is null or e.position <= $5)
    order by e.version desc
    limit 1
) as ack on ack.body -> 'data' ->> 'alert_id' = said.alert::text
where said.alert is not null
    and ($1::text[] is null or said.unit = any ($1))
    and ($2::text is null or said.unit > $2)
    and ($4::boolean is null or (ack.recorded_at is not null) = $4)
order by said.unit
limit $3

-- name: first_position
-- What was recorded first.
select position, recorded_at from ledger.event order by position limit 1

-- name: last_position
-- What was recorded last, up to the position $1.
select position, recorded_at from ledger.event where position <= $1 order by position desc limit 1

-- name: first_alert
-- The first alert that anybody was told.
select position, recorded_at from ledger.event where type = 'alert.issued' order by position limit 1

-- name: last_alert
-- The last one up to the position $1.
select position, recorded_at from ledger.event where type = 'alert.issued' and position <= $1 order by position desc limit 1

-- name: own_referrals
-- The referrals of the recipient $1.
select stream, referral_id from referral_board where recipient = $1

-- name: first_known
-- What was recorded first of homes $1 (null: all), of referrals $3 of the cases $2, at positions $4, and of what concerns
-- everybody.
select position, recorded_at from ledger.event
where ($1::text[] is null or home = any ($1) or home = '*')
    or (stream = any ($2::text[]) and convert_from(body, 'UTF8')::jsonb #>> '{data,referral_id}' = any ($3::text[]))
    or position = any ($4::bigint[])
order by position
limit 1

-- name: last_known
-- The last of that up to the position $1, with homes $2, cases $3, referrals $4 and positions $5. A tick at which something
-- fell due somewhere tells that it did, so it is not looked at; where it was in these homes, it is said of them right after it.
select position, recorded_at from ledger.event
where position <= $1
    and (
        (
            ($2::text[] is null or home = any ($2) or home = '*')
            and not (type = 'clock.ticked' and convert_from(body, 'UTF8')::jsonb #>> '{data,reason}' = 'due')
        )
        or (stream = any ($3::text[]) and convert_from(body, 'UTF8')::jsonb #>> '{data,referral_id}' = any ($4::text[]))
        or position = any ($5::bigint[])
    )
order by position desc
limit 1

-- name: last_recorded_by
-- The last position that was recorded at or before the instant $1. What is recorded later has a higher position, and none
-- is missing: so some twenty looks by the primary key find it in a million, without an index for it.
with recursive looked (low, high) as (
    select (select min(position) from ledger.event), (select max(position) from ledger.event)
    union all
    select
        case when middle.recorded_at <= $1 then middle.position else low end,
        case when middle.recorded_at <= $1 then high else middle.position - 1 end
    from looked
    cross join lateral (
        select position, recorded_at from ledger.event where position = (looked.low + looked.high + 1) / 2
    ) as middle
    where low < high
)
select position, recorded_at from ledger.event where position = (select max(low) from looked)

-- name: recorded
-- When the positions $1 were recorded.
select position, recorded_at from ledger.event where position = any ($1::bigint[])

-- name: rules_at
-- The rule set in force at the position $1.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where stream = 'reference/rules' and type = 'reference.rules_adopted' and position <= $1
order by version desc limit 1

-- name: begun
-- Where the stream $1 begins.
select position from ledger.event where stream = $1 and version = 1

-- name: seen_now
-- Those of the streams $1 that are a report or a case where the reading transaction sees it now.
select stream from case_board where stream = any ($1::text[])
union all
select stream from review_queue_report where stream = any ($1::text[])

-- name: seen_by_recipient
-- Those of the cases $1 of which the reading recipient has referrals.
select distinct stream from referral_board where stream = any ($1::text[])
