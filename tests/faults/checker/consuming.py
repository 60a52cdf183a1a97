"""Reads both topics: every record, and in which batch of which producer it came."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import Fetcher

from tests.faults.checker.records import ALERTS, EVENTS, Record, Topics

READ_SECONDS = 120
COME_SECONDS = 20
"""A tick may have been recorded just before the ledger was read."""


class Unreadable(Exception):
    """A topic could not be read to its end."""


class _AnyNames(bytearray):
    """The bytes of a batch. kafka-python takes the name of each header from them as text, and a stranger's may be any
    bytes: what is no text is written out, and is no name of ours."""

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        return _AnyNames(part) if isinstance(at, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


class _Noting:
    """Batches as they come off the wire, each written down."""

    def __init__(self, batches: Any, noted: list[tuple[int, int, int]]) -> None:
        self._batches, self._noted = batches, noted

    def next_batch(self) -> Any:
        batch = self._batches.next_batch()
        if batch is not None:
            self._noted.append((batch.base_offset, batch.last_offset, batch.producer_id))
            batch._buffer = _AnyNames(batch._buffer)
        return batch


def notes_batches(noted: dict[TopicPartition, list[tuple[int, int, int]]]) -> type:
    """The records of one fetch as kafka-python's consumer tells them: of each everything but who sent it, which its
    batch says, so that is noted."""

    class NotesBatches(Fetcher.PartitionRecords):  # type: ignore[misc]
        def _unpack_records(self, tp: TopicPartition, records: Any, *deserializers: Any) -> Any:
            return super()._unpack_records(tp, _Noting(records, noted.setdefault(tp, [])), *deserializers)

    return NotesBatches


def read(bootstrap: str) -> Topics:
    """Every record of both topics, by partition, in order of offset."""
    noted: dict[TopicPartition, list[tuple[int, int, int]]] = {}
    asked = {"bootstrap_servers": bootstrap, "group_id": None, "max_poll_records": 5_000}
    consumer = KafkaConsumer(**asked, bootstrap_timeout_ms=10_000)
    consumer._fetcher.PartitionRecords = notes_batches(noted)
    try:
        places = [TopicPartition(topic, one) for topic in (EVENTS, ALERTS) for one in _partitions(consumer, topic)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        came: dict[TopicPartition, list[Any]] = {at: [] for at in places}
        deadline = time.monotonic() + READ_SECONDS
        while any(consumer.position(at) < ends[at] for at in places):
            if time.monotonic() > deadline:
                raise Unreadable(f"the topics could not be read to their ends within {READ_SECONDS} s")
            for at, some in consumer.poll(timeout_ms=500).items():
                came[at].extend(some)
    finally:
        consumer.close()
    records: Topics = {EVENTS: {}, ALERTS: {}}
    for at, its in came.items():
        records[at.topic][at.partition] = _with_senders(its, noted.get(at, []))
    return records


def _with_senders(its: Sequence[Any], noted: Sequence[tuple[int, int, int]]) -> list[Record]:
    batches, told = sorted(set(noted)), []
    at = 0
    for one in its:
        while at < len(batches) and batches[at][1] < one.offset:
            at += 1
        if at == len(batches) or batches[at][0] > one.offset:
            raise Unreadable(f"the record at offset {one.offset} came in no batch: the consumer has changed")
        told.append(Record(list(one.headers), one.value or b"", one.offset, batches[at][2], batches[at][0]))
    return told


def read_all_of(positions: Sequence[int], bootstrap: str) -> Topics:
    """Read until everything of the ledger has come, or a little longer than that ever takes."""
    deadline = time.monotonic() + COME_SECONDS
    while True:
        topics = read(bootstrap)
        there = {link[0] for its in topics[EVENTS].values() for one in its if (link := one.link)}
        if time.monotonic() > deadline or there >= set(positions):
            return topics
        time.sleep(0.5)


def _partitions(consumer: KafkaConsumer, topic: str) -> list[int]:
    found = consumer.partitions_for_topic(topic)
    if not found:
        raise Unreadable(f"the topic {topic} is not there")
    return sorted(found)
