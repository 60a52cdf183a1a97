-- name: try_to_lead
-- Never waits: whoever waited for the lock in the server would still be handed it after its own death.
select notifier.try_to_lead()

-- name: leads
-- The leader's sign of life, and its proof that the lock is still its own.
select notifier.leads()

-- name: record
-- What came of tries; answers how each of their subscribers stands.
select * from notifier.record(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)

-- name: pass_by
-- Only forwards; with all that is held back by then, and what was let go. False where a person has changed it meanwhile.
select notifier.pass_by($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: alerts
-- All of the ledger that this role may see.
select * from notifier.alerts($1, $2, $3)

-- name: gazetteer
-- The one in force, where it was adopted after the version that is known.
select * from notifier.gazetteer($1)

-- name: versions
-- Whoever is to be sent to, and whether a person has changed anything about them.
select subscriber_id, version from notifier.subscriber where disabled_since is null

-- name: disabled
-- How many nothing is sent to any more.
select count(*) from notifier.subscriber where disabled_since is not null

-- name: load
-- One as it stands, with how long its next try still has to wait.
select
    s.subscriber_id, s.url, s.version, s.resends, s.position, s.attempts,
    s.units, s.minimum_level, s.changes, s.modes, s.by_province, s.wait_seconds, s.inhibits,
    coalesce(extract(epoch from s.next_at - clock_timestamp()), 0)::float8 as again_in_seconds
from notifier.subscriber s where s.subscriber_id = $1 and s.disabled_since is null

-- name: secrets
-- The newest first, since it is the one that stays.
select secret_id, sealed, wrap_version, ends_at from notifier.secret where subscriber_id = $1
order by ends_at desc nulls first

-- name: believed
-- What it was sent last of each unit. Of what was only tried they may have heard or not: then an alert may stand for them,
-- of no level that is known.
select unit, mode, position, case when delivered then level else -1 end as level, stands or not delivered as stands
from notifier.believed where subscriber_id = $1

-- name: believed_at
-- The same of units ($3) of which something later was tried already: from what was sent before a position ($2).
select unit, mode, position, case when delivered then level else -1 end as level, stands or not delivered as stands
from notifier.believed_at($1, $2, $3)

-- name: held
-- What is held back for it, each with the position of the later alert that has taken its place, where one has: whoever
-- sent that was ended before they could write it down. What was itself sent already is still held back where it has come to.
select b.position as let_go_at, h.unit, h.mode, a.*
from notifier.held h
cross join lateral notifier.alerts(h.position - 1, h.position, 1) as a
left join notifier.believed b on b.subscriber_id = $1 and b.unit = h.unit and b.mode = h.mode and b.delivered
    and b.position > h.position and b.position <= $2
where h.subscriber_id = $1

-- name: silences
-- Those that stand where it has come to.
select * from notifier.silences($1)

-- name: tried
-- What was tried beyond its position in this round, and whether it was delivered: notices of several move it only once all
-- of them are.
select position, delivered_at is not null as delivered from notifier.delivery
where subscriber_id = $1 and resends = $2 and position > $3

-- name: rules
-- Those that were adopted after the version that is known.
select * from notifier.rules($1)
