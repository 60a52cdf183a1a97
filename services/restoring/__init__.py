"""What one of ledger and Kafka has lost is taken from the other.

`intabaza ledger restore` completes the ledger from Kafka: `log` reads all partitions as one log, in order of position,
and stops at whatever cannot be true; `rows` makes a row of the ledger from a record; `ledger` compares what is there
and writes what is missing, a verified piece in each transaction, behind a door that is shut. It stays shut until the
relay has seen that both agree, so an interruption at any moment is mended by the same command.

The other way round nothing is needed here: `intabaza relay republish` makes the topics anew and sends the ledger.
"""
