"""Whether history was altered: the ledger, Kafka and signed checkpoints against each other, or a bundle by itself."""
