"""Backups of what Kafka does not have: the ledger, the vault, and the vault's keys apart, each a file of its own.

`making` dumps all three in one snapshot and gives them their name last; `manifest` says what a whole backup is;
`putting_back` makes a new PostgreSQL of one, completes it from Kafka, and gives it its place last. Projections and what
the relay knows are made anew. Dumps and not copies of the server's files: those hold all three together, and the bytes
of destroyed keys in dead rows and write-ahead log. Given up: the time in between, which Kafka has.
"""
