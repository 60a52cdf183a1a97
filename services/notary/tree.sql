-- name: size
-- One row, since the migration.
select size from notary.tree

-- name: tiles
-- The size and the tiles as they stood at one moment: a tree that grows meanwhile does not come apart.
select tree.size, wanted.level, wanted.index, tile.hashes
from notary.tree
left join unnest($1::smallint[], $2::bigint[]) as wanted (level, index) on true
left join notary.tile on tile.level = wanted.level and tile.index = wanted.index

-- name: tile
-- The beginning of a tile is what it was when it was no longer.
select substring(hashes for $3 * 32) from notary.tile where level = $1 and index = $2 and octet_length(hashes) >= $3 * 32

-- name: extend
-- All of it or nothing; who may, and from where, is said in migration 0030.
select notary.extend($1, $2, $3, $4, $5)
