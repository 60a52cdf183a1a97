-- name: newest
-- Backwards over the streams' own index: one row, however many checkpoints there are.
select version, position, body from ledger.event
where stream = 'custody/log' and type = 'custody.log_checkpointed' order by version desc limit 1

-- name: numbered
-- One checkpoint by its number in the stream: sizes grow with it, so a size is found by halving.
select version, position, body from ledger.event
where stream = 'custody/log' and type = 'custody.log_checkpointed' and version = $1
