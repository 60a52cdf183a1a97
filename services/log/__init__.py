"""Our topics on Kafka, what a record of ours in them looks like, and which partition a home lives in."""
