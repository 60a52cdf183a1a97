"""Reading a topic as a stranger would: with kafka-python alone, dropping repeats and checking the chain by itself.

Nothing of the relay is used here, so that what it did is judged by somebody else.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from kafka import KafkaConsumer, TopicPartition

from services.log.clients import connected


class BrokenChain(AssertionError):
    """A record does not follow the one before it, or is no record of ours."""


@dataclass(frozen=True)
class Taken:
    """One record, as it stands on the topic."""

    partition: int
    offset: int
    key: bytes
    value: bytes
    position: int
    previous: int


@dataclass
class Read:
    """A topic read to its end: `taken` in order by partition, without what a reader drops or passes over."""

    taken: dict[int, list[Taken]] = field(default_factory=dict)
    repeats: list[Taken] = field(default_factory=list)
    foreign: list[tuple[int, int]] = field(default_factory=list)

    def positions(self, partition: int) -> list[int]:
        return [record.position for record in self.taken.get(partition, ())]

    def all_positions(self) -> set[int]:
        return {record.position for records in self.taken.values() for record in records}

    @property
    def values(self) -> dict[int, bytes]:
        """Each position's bytes; fails where two partitions hold different ones."""
        found: dict[int, bytes] = {}
        for records in self.taken.values():
            for record in records:
                assert found.setdefault(record.position, record.value) == record.value, record.position
        return found


def read_topic(bootstrap: str, topic: str, *, foreign: bool = False) -> Read:
    """Read every partition from its beginning to its present end, as the published contract says.

    Raises BrokenChain where a record's `previous` is not the position before it, where a repeat has other bytes than
    the first time, and on a record without our headers unless `foreign` ones are expected.
    """
    read = Read()
    with consumer(bootstrap) as reader:
        partitions = sorted(reader.partitions_for_topic(topic) or ())
        places = [TopicPartition(topic, number) for number in partitions]
        reader.assign(places)
        reader.seek_to_beginning(*places)
        ends = reader.end_offsets(places)
        deadline = time.monotonic() + 120
        while any(reader.position(at) < ends[at] for at in places):
            assert time.monotonic() < deadline, f"{topic} could not be read to its end"
            for at, records in reader.poll(timeout_ms=500).items():
                for record in records:
                    _take(read, at.partition, record, foreign)
    return read


def end_offsets(bootstrap: str, topic: str) -> dict[int, int]:
    """Where each partition ends now."""
    with consumer(bootstrap) as reader:
        places = [TopicPartition(topic, number) for number in sorted(reader.partitions_for_topic(topic) or ())]
        return {at.partition: offset for at, offset in reader.end_offsets(places).items()}


@contextmanager
def consumer(bootstrap: str) -> Iterator[KafkaConsumer]:
    """A consumer without a group."""
    reader = connected(KafkaConsumer, bootstrap, group_id=None, enable_auto_commit=False, max_poll_records=5_000)
    try:
        yield reader
    finally:
        reader.close()


def _take(read: Read, partition: int, record: object, foreign: bool) -> None:
    offset: int = record.offset  # type: ignore[attr-defined]
    headers: Sequence[tuple[str, bytes]] = record.headers  # type: ignore[attr-defined]
    stated = dict(headers)
    ours = (
        sorted(name for name, _ in headers) == ["content-type", "position", "previous"]
        and stated["content-type"] == b"application/cloudevents+json"
        and stated["position"].isdigit()
        and stated["previous"].isdigit()
    )
    if not ours:
        if not foreign:
            raise BrokenChain(f"partition {partition} offset {offset} has headers {headers}")
        read.foreign.append((partition, offset))
        return
    position, previous = (int(stated[name].decode("ascii")) for name in ("position", "previous"))
    taken = Taken(partition, offset, record.key, record.value, position, previous)  # type: ignore[attr-defined]
    before = read.taken.setdefault(partition, [])
    last = before[-1].position if before else 0
    if position <= last:
        at = bisect_left(before, position, key=lambda one: one.position)
        if before[at].position != position or before[at].value != taken.value:
            raise BrokenChain(f"partition {partition} offset {offset} repeats {position} with other bytes")
        read.repeats.append(taken)
    elif previous != last:
        raise BrokenChain(f"partition {partition} offset {offset}: {position} follows {previous}, held {last}")
    else:
        before.append(taken)
