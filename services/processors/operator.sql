-- name: list
-- The longest waiting first.
select place, key, partition, position, why, parked_at, resume_asked from projections.parked order by parked_at, key

-- name: one
-- How one stands now.
select place, key, partition, position, why, parked_at, resume_asked from projections.parked
where place = $1 and key = $2

-- name: ask
-- Its worker looks once a second.
update projections.parked set resume_asked = true where place = $1 and key = $2 returning 1
