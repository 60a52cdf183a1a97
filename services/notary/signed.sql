-- name: newest
-- Backwards over the streams' own index: one row, however many checkpoints there are.
select version, position, body from ledger.event
where stream = 'custody/log' and type = 'custody.log_checkpointed' order by version desc limit 1

-- name: numbered
-- One checkpoint by its number in the stream: sizes grow with it, so a size is found by halving.
select version, position, body from ledger.event
where stream = 'custody/log' and type = 'custody.log_checkpointed' and version = $1

-- name: cosignatures
-- Who cosigned the checkpoint of a size, and by which line.
select w.key, c.line from notary.cosignature c join notary.witness w on w.number = c.witness
where c.size = $1 order by c.witness

-- name: cosigned_by
-- The last size that a witness of this name cosigned; whatever its key was then.
select max(c.size) from notary.cosignature c join notary.witness w on w.number = c.witness
where split_part(w.key, '+', 1) = $1

-- name: all_cosignatures
-- Every cosignature, for whoever takes all checkpoints away.
select c.size, w.key, c.line from notary.cosignature c join notary.witness w on w.number = c.witness
order by c.size, c.witness
