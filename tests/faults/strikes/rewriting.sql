-- name: tails
-- Where partitions end, as relays have saved it.
select last_position from relay.partition where last_position > 0 order by random() limit 1

-- name: body
-- One event as it is stored.
select body from ledger.event where position = $1

-- name: freely
-- Not even the owner rewrites the ledger by accident: so this is no accident.
set session_replication_role = replica

-- name: rewrite
-- Other bytes at a position.
update ledger.event set body = $2 where position = $1

-- name: halted
-- Why nothing is sent, and why nothing is taken.
select halted_because, (select door_shut_because from ledger.state) as shut_because from relay.progress
