"""The ledger: what was accepted, in order, for ever.

How an append travels: `PostgresLedger.append` checks sizes and hands the submission to its `Batcher`. While one group
is on its way to the database, the next collects; members of a group share no command and no stream that one of them
writes. The group goes as arrays through one prepared call of `ledger.append` (migration 0003), which takes the append
lock, then reads the head, compares the clocks, share-locks the keys, decides each member without disturbing the
others, gives positions without gaps and a time that never goes back, and rings the bell. The commit is synced before
the lock is let go and before anybody is answered. If the server says no to the whole group, its members go one by one;
if it says nothing, their callers learn "unknown", and trying again with the same id tells them the truth.

A processor appends derived events last in its own transaction: `select ledger.hold()`, then drop each event whose id is
in `ledger.event` already with the same stream, version, type, home and body (with other content: stop), then
`ledger.append` for the rest. Under the lock nobody can come in between, and the commit of its rows is theirs too.
"""
