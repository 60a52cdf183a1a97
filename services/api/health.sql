-- name: appends
-- Why the ledger would refuse an append now, where it would: its door, its clocks ($1 is what our own clock says).
select ledger.refuses($1) as because
