"""The relay on a real Kafka and a real PostgreSQL."""
