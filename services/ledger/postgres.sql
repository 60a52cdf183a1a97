-- name: append
-- A whole group in one round trip; what the function decides is said in migration 0003.
select member, outcome, detail, stream, expected, actual, home, first_position, stamp, clock_behind
from ledger.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: placed
-- What repeated commands answered the first time; rows never change, so a later statement reads the same.
select command_id, position, stream, version, event_id, recorded_at
from ledger.event where command_id = any ($1) order by position

-- name: ask
-- Burns an absent id under the append lock, so it is no mere reading.
select position, stream, version, event_id, recorded_at from ledger.ask($1)

-- name: read_command
-- A mere look: an absent id is not burned, so it may still arrive.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where command_id = $1 order by position

-- name: read_stream
-- Columns in the order of `Recorded`, which is built from a row as it comes.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where stream = $1 and version > $2 order by version

-- name: first_of
-- By the streams' own index, whatever the ledger holds beside them.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where stream = any ($1::text[]) and version = 1 and recorded_at >= $2

-- name: read
-- Columns in the order of `Recorded`; commit order is position order, so no later commit can fill in before these. A
-- batch ends after about 16 MB, so that a thousand large events do not fill a reader's memory.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from (
    select *, sum(octet_length(body)) over (order by position rows between unbounded preceding and 1 preceding) as before
    from ledger.event where position > $1 order by position limit $2
) as batch
where before is null or before < 16000000
order by position

-- name: copied
-- Columns in the order of services/ledger/copied.py, none of them null: a null that somebody forced in matches nothing.
select
    position, coalesce(version, 0), coalesce(splice_version, 0::smallint), coalesce(recorded_at, '-infinity'),
    coalesce(stream, ''),
    coalesce(
        event_id || E'\n' || type || E'\n' || home || E'\n' || command_id || E'\n' || encode(command_mac, 'hex'), ''
    ),
    coalesce(body, '')
from ledger.event where position > $1 and position <= $2 order by position

-- name: head
-- Backwards over the primary key: one row, however long the ledger is.
select position, recorded_at from ledger.event order by position desc limit 1

-- name: simulated_clock
-- Null for a real ledger.
select simulated_clock from ledger.state

-- name: read_alerts
-- The type is written out, so that the index of alerts serves it.
select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
from ledger.event where type = 'alert.issued' and position > $1 and position <= $2 order by position limit $3
