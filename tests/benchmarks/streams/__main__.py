"""Resolve the jars of Kafka Streams anew and write their lock."""

from services.local.jars import write_lock
from tests.benchmarks.streams.program import COORDINATES, LOCK

if __name__ == "__main__":
    write_lock(LOCK, COORDINATES)
