-- name: head
-- Everything up to here was accepted.
select coalesce(max(position), 0) from ledger.event

-- name: acknowledged
-- Everything up to here is on Kafka.
select acknowledged from relay.progress

-- name: sent
-- Up to where each partition of events.v1 has been sent.
select partition, last_position from relay.partition where topic = 'events.v1'

-- name: behind
-- Projections that have not folded a partition up to where it was sent.
select wanted.place, sent.partition, sent.last_position, coalesce(w.last_position, 0) as folded
from unnest($1::text[]) as wanted (place)
cross join unnest($2::int[], $3::bigint[]) as sent (partition, last_position)
left join projections.watermark w on w.place = wanted.place and w.partition = sent.partition
where coalesce(w.last_position, 0) < sent.last_position
order by 1, 2

-- name: parked
-- Keys that a projection could not fold on.
select place, key, position from projections.parked order by place, key

-- name: not_signed
-- How many events up to here are under no checkpoint; of checkpoints themselves none has to be.
select count(*) from ledger.event
where position <= $1 and type <> 'custody.log_checkpointed' and position > coalesce((
    select (convert_from(body, 'UTF8')::jsonb -> 'data' ->> 'size')::bigint from ledger.event
    where stream = 'custody/log' order by version desc limit 1), 0)

-- name: halted
-- Why the relay sends nothing and why nothing is taken, where that is so.
select halted_because, (select door_shut_because from ledger.state) as shut_because from relay.progress

-- name: signs_overdue
-- Signs of life whose day is over by the clock of the database, and that are on no log yet.
select count(*) from vault.held_sign
where vault.sign_due(day, taken_on) <= (clock_timestamp() at time zone $1)::date

-- name: leader_port
-- From which port the session speaks that holds the lead.
select a.client_port from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and a.application_name = 'intabaza relay'

-- name: relays
-- From which ports relays speak: who leads, and who stands by.
select client_port from pg_stat_activity where application_name = 'intabaza relay'

-- name: notifier_leader_port
-- From which port the notifier speaks that leads.
select a.client_port from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and a.application_name = 'intabaza notifier'

-- name: notifiers
-- From which ports notifiers speak: who leads, and who stands by.
select client_port from pg_stat_activity where application_name = 'intabaza notifier'

-- name: not_told
-- Subscribers that have not come to all that is told up to here, and why.
select s.position, told.last, s.last_error, s.disabled_because from notifier.subscriber s, (
    select coalesce(max(position), 0) as last from ledger.event
    where type in ('alert.issued', 'alert.silence_announced') and position <= $1) as told
where s.position < told.last

-- name: kept_back
-- Alerts that somebody has to be told of and was not yet.
select count(*) from notifier.held

-- name: silences
-- Those that stand.
select silence_id, unit from silences.silence where ended_at is null order by silence_id

-- name: send_again
-- The last few of what was told once more, and from which position on that is; nothing where there is none that it came to.
select again.position from (
    select min(position) as position from (
        select e.position from ledger.event e, notifier.subscriber s
        where s.subscriber_id = $1 and e.type in ('alert.issued', 'alert.silence_announced')
            and e.position <= s.position
        order by e.position desc limit $2) as those) as again
where again.position is not null and notifier.resend($1, null, again.position)

-- name: disabled
-- Why nothing more is sent to a subscriber.
select disabled_because from notifier.subscriber where subscriber_id = $1
