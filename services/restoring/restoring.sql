-- name: shut
-- The relay opens it, once it has seen that both agree.
select relay.shut_for_restoring($1)

-- name: head
-- Backwards over the primary key, and which clock this ledger has.
select coalesce((select position from ledger.event order by position desc limit 1), 0) as position, simulated
from ledger.state

-- name: restore
-- One verified piece; what the function refuses is said in migration 0026.
select ledger.restore($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: at
-- What stands at some positions, for records that were sent twice.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where position = any ($1)

-- name: door
-- Why appends are refused; null once the relay has opened the door.
select door_shut_because from ledger.state

-- name: leader
-- Whether a relay runs that will open the door.
select exists (
    select from pg_locks
    where locktype = 'advisory' and granted and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and (classid::bigint << 32 | objid::bigint) = 7310394218800003
)

-- name: void_rows
-- A processor may have folded what the ledger does not have in the end. Rows are of no form from here on, so nobody reads
-- on from them; what a worker has in its memory of them it cannot commit.
with ahead as (
    select place from projections.watermark
    where last_position > (select coalesce(max(position), 0) from ledger.event)
)
update projections.watermark set form = 0, generation = gen_random_uuid()
where place in (select place from ahead) returning place, projection

-- name: forget_moments
-- The same of what was folded for moments: another event may stand at such a position tomorrow.
delete from projections.past where position > (select coalesce(max(position), 0) from ledger.event)

-- name: republish
-- The topics hold what was given up: the relay makes them anew.
select relay.ask_to_republish($1, $2)

-- name: keys
-- Page by page, since a vault may hold millions.
select key_id from vault.key where destroyed_at is null and key_id > $1 order by key_id limit 10000

-- name: persons
-- The same.
select person_id from vault.person where erased_at is null and person_id > $1 order by person_id limit 10000

-- name: destroy_keys
-- With what was held under them.
select vault.destroy_keys($1)

-- name: erase_person
-- With every link to them.
select vault.erase_person($1)
