-- name: leader_port
-- From which port the notary speaks that leads.
select a.client_port from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and a.application_name = 'intabaza notary'

-- name: notaries
-- From which ports notaries speak: who leads, and who stands by.
select client_port from pg_stat_activity where application_name = 'intabaza notary'

-- name: signed_and_read_by_nobody
-- Events under the last checkpoint on which no decision and no webhook rests: altered for some seconds, they mislead
-- nobody but the notary.
select position from ledger.event
where type in ('level.level_changed', 'custody.log_checkpointed') and position <= (
    select (convert_from(body, 'UTF8')::jsonb -> 'data' ->> 'size')::bigint from ledger.event
    where stream = 'custody/log' order by version desc limit 1)

-- name: halted
-- Why nothing is signed, where that is so.
select halted_because from notary.standing

-- name: no_tiles
-- The tree is gone,
delete from notary.tile

-- name: no_tree
-- all of it.
update notary.tree set size = 0
