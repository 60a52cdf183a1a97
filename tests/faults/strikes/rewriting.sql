-- name: body
-- One event as it is stored.
select body from ledger.event where position = $1

-- name: freely
-- Not even the owner rewrites the ledger by accident: so this is no accident.
set session_replication_role = replica

-- name: rewrite
-- Other bytes at a position.
update ledger.event set body = $2 where position = $1

-- name: read_by_the_notary
-- Whether its tree has this position, or may not have it, since the relay has not said that it is on Kafka.
select size >= least($1, relay.acknowledged()) from notary.tree
