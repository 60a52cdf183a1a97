-- name: partitions
-- How many each topic has.
select count(*)::int from relay.partition where topic = 'events.v1'

-- name: halted
-- Why the relay sends nothing, if it does not.
select halted_because from relay.progress
