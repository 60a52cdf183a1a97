-- name: mark
-- A word that changes whenever a projection's rows may have changed, also where they were swapped for others.
select sum(last_position) || '.' || left(md5(string_agg(partition || generation::text, ' ' order by partition)), 8) as mark
from projections.watermark where place = $1

-- name: marks
-- How far each of these projections has come in each partition.
select place, partition, last_position from projections.watermark where place = any ($1::text[])

-- name: unmade
-- Which of these projections have no tables.
select name from unnest($1::text[]) as name where to_regnamespace(quote_ident(name)) is null order by name

-- name: marked
-- Rows of the projection $2 with its mark, in one round trip and of one snapshot.
with mark as (
    select sum(last_position) || '.' || left(md5(string_agg(partition || generation::text, ' ' order by partition)), 8)
        as mark
    from projections.watermark where place = $2
)
select mark.mark, found.* from mark left join (:rows) as found on true
