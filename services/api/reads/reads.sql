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
-- them, with who acknowledged it; where $4 is not null, only those that were, or were not. Nobody else's stream is read.
select said.unit, said.told, said.told_at, said.alert, ack.recorded_at as acknowledged_at,
    ack.body ->> 'actorrole' as acknowledged_by
from alert_level_said as said
left join lateral (
    select e.recorded_at, convert_from(e.body, 'UTF8')::jsonb as body
    from ledger.event as e
    where e.stream = 'alert/' || said.unit and e.type = 'alert.acknowledged'
    order by e.version desc
    limit 1
) as ack on ack.body -> 'data' ->> 'alert_id' = said.alert::text
where said.alert is not null
    and ($1::text[] is null or said.unit = any ($1))
    and ($2::text is null or said.unit > $2)
    and ($4::boolean is null or (ack.recorded_at is not null) = $4)
order by said.unit
limit $3
