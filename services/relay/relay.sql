-- name: try_to_lead
-- Never waits: whoever waited for the lock in the server would still be handed it after its own death.
select relay.try_to_lead()

-- name: leads
-- The leader's sign of life, and its proof that the lock is still its own.
select relay.leads()

-- name: saved
-- Where each partition's chain was known to end.
select topic, partition, topic_id, last_position, next_offset from relay.partition

-- name: acknowledged
-- Up to here everything is on Kafka.
select acknowledged as position from relay.progress

-- name: save
-- Only forwards, and only for the session that leads.
select relay.save($1, $2, $3, $4, $5, $6)

-- name: note_foreign
-- True the first time, so that one record alarms once.
select relay.note_foreign($1, $2, $3, $4, $5)

-- name: note_halt
-- What `intabaza relay status` shows.
select relay.note_halt($1, $2)

-- name: shut_the_door
-- Whether the door is shut by the relay's own sentence: it opens no other.
select coalesce(s.door_shut_because = p.door_shut_because, false) from relay.progress p, ledger.state s

-- name: republications
-- Which topics an operator wants made anew.
select topic, topic_id from relay.republication

-- name: begin_anew
-- Forgets what was known of a topic that was deleted.
select relay.begin_anew($1)

-- name: ask_to_republish
-- The leader does it, since it holds the lock.
select relay.ask_to_republish($1, $2)

-- name: before
-- The nearest events before a position, whichever partition they went to.
select position, home, type from ledger.event where position < $1 order by position desc limit $2

-- name: alerts_before
-- The same among alerts, by their own index: between two of them may lie the whole ledger.
select position, home, type from ledger.event
where type = 'alert.issued' and position < $1 order by position desc limit $2

-- name: standing
-- Everything that status and the metrics show, in one look. Seconds are by the database's clock.
select
    coalesce((select position from ledger.event order by position desc limit 1), 0) as head,
    p.acknowledged,
    coalesce(extract(epoch from clock_timestamp() - (
        select recorded_at from ledger.event where position = p.acknowledged + 1
    )), 0)::float8 as lag_seconds,
    p.halted_because,
    s.door_shut_because,
    coalesce(s.door_shut_because = p.door_shut_because, false) as door_is_the_relays,
    (select count(*) from relay.foreign_record) as foreign_records,
    (
        select format('database session %s since %s', a.pid, to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS'))
        from pg_locks l join pg_stat_activity a on a.pid = l.pid
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database())
        and (l.classid::bigint << 32 | l.objid::bigint) = 7310394218800003
    ) as leader
from relay.progress p, ledger.state s

-- name: ledger_clock
-- The ledger's own clock, real or simulated, never behind its last event; null while nothing has begun it.
select
    greatest(
        case when simulated then simulated_clock else clock_timestamp() end,
        (select recorded_at from ledger.event order by position desc limit 1)
    ) as now
from ledger.state where simulated is not null

-- name: last_tick
-- The end of the clock's stream. Before the first tick, the beginning of the ledger stands for it.
select coalesce(t.version, 0) as version, coalesce(t.recorded_at, f.recorded_at) as recorded_at
from (select recorded_at from ledger.event order by position limit 1) as f
left join lateral (
    select version, recorded_at from ledger.event where stream = 'reference/clock' order by version desc limit 1
) as t on true

-- name: watermarks_exist
-- The projections' table, which a relay alone can do without.
select to_regclass('projections.watermark') is not null

-- name: next_due
-- The earliest moment after the last tick ($1) at which something falls due, of all live projections and partitions. What
-- is rebuilt in another place stands in the past; and a partition that stands still says for ever what fell due at that
-- tick or before: both would hide what falls due now.
select min(next_due) from projections.watermark where place = projection and next_due > $1
