"""The relay: the ledger's events on Kafka, in order and without a gap, sent by one leader. It alone produces."""
