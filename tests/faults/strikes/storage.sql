-- name: partitions
-- How many each topic has.
select count(*)::int from relay.partition where topic = 'events.v1'

-- name: needs_room
-- More than any page has free, and gone with the statement's transaction where there was room.
create temporary table room as select repeat(md5(i::text), 100) as filled from generate_series(1, 3000) as i

-- name: door
-- Why nothing can be appended, if nothing can.
select door_shut_because from ledger.state

-- name: appended_since
-- By the ledger's own time, since its positions begin again where the backup ends.
select position, type from ledger.event where recorded_at >= $1 order by position
