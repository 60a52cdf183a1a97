-- name: try_to_lead
-- Never waits: whoever waited for the lock in the server would still be handed it after its own death.
select notifier.try_to_lead()

-- name: leads
-- The leader's sign of life, and its proof that the lock is still its own.
select notifier.leads()

-- name: record
-- What came of tries; answers how each of their subscribers stands.
select * from notifier.record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: pass_by
-- Only forwards, and only where nobody has moved it meanwhile.
select notifier.pass_by($1, $2, $3)

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
    s.units, s.minimum_level, s.changes, s.modes,
    coalesce(extract(epoch from s.next_at - clock_timestamp()), 0)::float8 as wait_seconds
from notifier.subscriber s where s.subscriber_id = $1 and s.disabled_since is null

-- name: secrets
-- The newest first, since it is the one that stays.
select secret_id, sealed, wrap_version, ends_at from notifier.secret where subscriber_id = $1
order by ends_at desc nulls first

-- name: told
-- Whether anything of what stands of a unit was delivered to a subscriber, in whichever round.
select notifier.told_since_it_began($1, $2, $3)
