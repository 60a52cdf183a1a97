"""What a record of ours on Kafka looks like, and which partition a home lives in: all who write or read it know."""
