-- name: places
-- Every partition that the relay fills.
select topic, partition from relay.partition order by topic, partition

-- name: homes
-- Where cases are.
select distinct home from ledger.event where stream like 'case/%' order by home

-- name: waivers
-- What was waived since a position.
select event_id::text as id, position, stream, version from ledger.event
where type = 'reference.event_waived' and position > $1 order by position
