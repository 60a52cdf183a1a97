-- name: try_to_lead
-- Never waits: whoever waited for the lock in the server would still be handed it after its own death.
select notary.try_to_lead()

-- name: leads
-- The leader's sign of life, and its proof that the lock is still its own.
select notary.leads()

-- name: record
-- Append a checkpoint; says what became of it.
select outcome, detail from notary.record($1, $2, $3, $4, $5, $6, $7, $8)

-- name: begin_anew
-- The tree is made again from the ledger.
select notary.begin_anew()

-- name: note_halt
-- Why nothing is signed, or null.
select notary.note_halt($1)

-- name: first
-- The event that gives the log its name, where none is set.
select event_id from ledger.event where position = 1

-- name: standing
-- How the notary stands, for people: what is signed, how far the tree is, what is on Kafka, and why it signs no more.
select
    tree.size as tree, relay.acknowledged() as acknowledged, last.body as checkpoint, last.recorded_at as signed_at,
    last.position as signed_in, standing.halted_because
from notary.standing
cross join notary.tree
left join lateral (
    select body, recorded_at, position from ledger.event where stream = 'custody/log' order by version desc limit 1
) as last on true

-- name: name_witnesses
-- Who is asked to cosign from now on.
select notary.name_witnesses($1, $2)

-- name: note_witness
-- What a witness said of a checkpoint.
select notary.note_witness($1, $2, $3, $4)

-- name: cosigned_size
-- How far a witness has cosigned, as far as that was kept.
select coalesce(max(c.size), 0) from notary.witness w join notary.cosignature c on c.witness = w.number where w.key = $1

-- name: witnesses
-- How far each witness has come: the last checkpoint that it cosigned, and why it cosigned no later one.
select w.key, w.url, w.asked, w.said_of, w.refused_because, w.refused_since, last.size, last.line
from notary.witness w
left join lateral (
    select size, line from notary.cosignature where witness = w.number order by size desc limit 1
) as last on true
order by w.asked desc, w.number
