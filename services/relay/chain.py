"""Where each partition's chain stands, and how rows of the ledger become the records that continue it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kafka import TopicPartition

from events.alert import AlertIssued
from events.vocabulary import EVERY_HOME
from services.ledger.ledger import Recorded
from services.local.topics import ALERTS, BATCH_LIMIT_BYTES, EVENTS
from services.log.partition import partition_of
from services.log.record import Headers, Link

BATCH_EVENTS = 4_000
BATCH_BYTES = 4_000_000
"""What is on its way at a time, so that memory stays bounded and a throw-away loses little."""

PARTITION_BYTES = BATCH_LIMIT_BYTES - 1_000
"""What one batch may hold for one partition. It is then one batch to the broker too: none behind it that could be taken
where it was refused, which is how a log forks."""

RECORD_BYTES = 256
"""More than a record costs beside its key and the stored body: what `splice` adds, three headers, names, lengths."""


@dataclass(frozen=True, slots=True)
class Place:
    """The end of one partition: the last position of its chain, the offset after it, and the offset of the next record.

    The last two differ where repeats or foreign records follow the chain.
    """

    last_position: int = 0
    next_offset: int = 0
    end_offset: int = 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record, ready to be sent."""

    at: TopicPartition
    key: bytes
    value: bytes
    headers: Headers


@dataclass(slots=True)
class Batch:
    """Records that go together; then the ledger is on Kafka `through` this position, and each chain ends at `last`."""

    records: list[Outgoing] = field(default_factory=list)
    counts: dict[TopicPartition, int] = field(default_factory=dict)
    last: dict[TopicPartition, int] = field(default_factory=dict)
    bytes_in: dict[TopicPartition, int] = field(default_factory=dict)
    through: int = 0
    events: int = 0
    size: int = 0


class Chains:
    """The chains of one run, from the start procedure on: what was planned, in the order in which it is sent."""

    def __init__(self, partitions: int, places: Mapping[TopicPartition, Place]) -> None:
        self._partitions = partitions
        self._planned = {at: place.last_position for at, place in places.items()}
        self._everywhere = [TopicPartition(EVENTS, number) for number in range(partitions)]
        self._alerts = [TopicPartition(ALERTS, number) for number in range(partitions)]

    def targets(self, row: Recorded) -> list[TopicPartition]:
        """Where an event goes: its home's partition, or every one; an alert also to strangers."""
        return targets(row.home, row.type, self._everywhere, self._alerts)

    def batches(self, rows: Iterable[Recorded], through: int) -> Sequence[Batch]:
        """Cut rows, in order, into bounded batches; `through` is how far the ledger went before them.

        What a partition has already (a repeat of the ledger's reading, never of the sending) is left out there.
        """
        batch = Batch(through=through)
        batches = [batch]
        planned = self._planned
        for row in rows:
            key, value = row.home.encode(), None
            size = len(row.body) + len(key) + RECORD_BYTES
            wanted = [at for at in self.targets(row) if planned[at] < row.position]
            if batch.records and (
                batch.events >= BATCH_EVENTS
                or batch.size + size * len(wanted) > BATCH_BYTES
                or any(batch.bytes_in.get(at, 0) + size > PARTITION_BYTES for at in wanted)
            ):
                batch = Batch()
                batches.append(batch)
            for at in wanted:
                if value is None:
                    value = row.wire()
                batch.records.append(Outgoing(at, key, value, Link(row.position, planned[at]).headers()))
                batch.counts[at] = batch.counts.get(at, 0) + 1
                batch.bytes_in[at] = batch.bytes_in.get(at, 0) + size
                batch.last[at] = planned[at] = row.position
                batch.size += size
            batch.events += 1
            batch.through = row.position
        return batches


def targets(
    home: str, event_type: str, everywhere: list[TopicPartition], alerts: list[TopicPartition]
) -> list[TopicPartition]:
    """The partitions that an event of this home and type goes to."""
    if home == EVERY_HOME:
        return everywhere
    number = partition_of(home, len(everywhere))
    if event_type == AlertIssued.name:
        return [everywhere[number], alerts[number]]
    return [everywhere[number]]
