"""Kafka Streams at the same work: a small Java program, compiled where a JDK is, on the jars that the lock names.

`python -m tests.benchmarks.streams` resolves the jars anew and writes the lock.
"""
