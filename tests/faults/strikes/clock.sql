-- name: last
-- When the ledger's last event was recorded, by the ledger's clock.
select recorded_at from ledger.event order by position desc limit 1

-- name: since
-- How many events came after a position, and how far the ledger's clock went in them.
select count(*) as events, max(recorded_at) as last from ledger.event where position > $1

-- name: ticks
-- What the ledger's clock told, in order.
select position, recorded_at, (convert_from(body, 'utf8')::jsonb -> 'data' ->> 'nominal')::timestamptz as nominal
from ledger.event where type = 'clock.ticked' order by position
