"""Projections as of a moment, for who asks by the API: folded from Kafka in a process beside it, and kept a while."""
