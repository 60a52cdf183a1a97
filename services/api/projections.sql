-- name: marks
-- How far each of these projections has come in each partition.
select place, partition, last_position from projections.watermark where place = any ($1::text[])

-- name: unmade
-- Which of these projections have no tables.
select name from unnest($1::text[]) as name where to_regnamespace(quote_ident(name)) is null order by name
