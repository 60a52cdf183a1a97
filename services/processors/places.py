"""Where to read on: offsets are only a hint, the position in each record's header is what counts (design rule 4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog
from kafka import TopicPartition
from kafka.errors import KafkaError

from services.log.clients import connected
from services.log.compiled import CompiledConsumer
from services.log.record import Link, read_link
from services.log.topic import CONNECT_MS, TopicAbsent, look_up_topic
from services.log.walk import Silence, Walk
from services.processors.chain import Record

SILENCE_SECONDS = 20.0
LOOK_SECONDS = 0.5
FORGOTTEN_SECONDS = 12.0
"""After this the group has let go of a member that went; its session is 10 s."""
FETCH_BYTES = 8 * 1024 * 1024
"""Of a partition at once, so that a refolding commits thousands of events in one transaction: a state that changes with
most of them is drawn and written once for all."""

MOST_RECORDS = 10_000
"""Of a partition at once; about what that many bytes hold, 840 each."""

_log = structlog.get_logger(__name__)


def wait_for_topic(bootstrap: str, topic: str) -> None:
    """Return as soon as the topic exists, saying so where it does not. It blocks.

    Who joins the group without it gets no partitions, and a member that comes back under its own name within its
    session is given what it had: none. So who has waited joins only when that session must have ended.
    """
    began, told = time.monotonic(), False
    while True:
        try:
            look_up_topic(bootstrap.split(","), topic, "intabaza-places")
            break
        except TopicAbsent as error:
            if not told:
                _log.warning("the topic is waited for", because=str(error))
            told = True
            time.sleep(LOOK_SECONDS)
        except (KafkaError, OSError):
            break  # a broker that is away is waited for by the worker
    if told:
        time.sleep(max(0.0, began + FORGOTTEN_SECONDS - time.monotonic()))


class Places:
    """A reader of one topic without a group, for looking up offsets and for reading whole partitions. It blocks.

    Raises TopicAbsent, and KafkaError or OSError where the broker is away.
    """

    def __init__(self, bootstrap: str, topic: str, fetch_bytes: int = FETCH_BYTES) -> None:
        self.topic = topic
        servers = bootstrap.split(",")
        found = look_up_topic(servers, topic, "intabaza-places")
        self.topic_id, self.partitions = found.topic_id, found.partitions
        self._consumer = connected(
            CompiledConsumer,
            servers,
            client_id="intabaza-places",
            group_id=None,
            bootstrap_timeout_ms=CONNECT_MS,
            request_timeout_ms=CONNECT_MS,
            enable_auto_commit=False,
            max_poll_records=MOST_RECORDS,
            max_partition_fetch_bytes=fetch_bytes,
            fetch_max_wait_ms=100,
            metrics_enabled=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._consumer.close()

    def end(self, partition: int) -> int:
        """The offset after the partition's last record."""
        at = TopicPartition(self.topic, partition)
        return int(self._consumer.end_offsets([at])[at])

    def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """The offset after the last record of each of these, asked for at once."""
        found = self._consumer.end_offsets([TopicPartition(self.topic, one) for one in partitions])
        return {at.partition: int(end) for at, end in found.items()}

    def walk(self, begins: Mapping[int, int], ends: Mapping[int, int]) -> Walk:
        """The way through some partitions, abreast, from these offsets up to those; until it is over this reads nothing
        else."""
        first, last = ({TopicPartition(self.topic, one): to for one, to in of.items()} for of in (begins, ends))
        return Walk(self._consumer, first, last, SILENCE_SECONDS)

    def find(self, partition: int, topic_id: UUID, hint: int, last: int) -> int:
        """The offset from which everything above position `last` can be read.

        `hint` is right where the topic is the same one and the record before it is `last`. Otherwise the place is
        searched: repeats of a relay that was frozen make positions go back, so what the search finds is right only if
        the record there continues the chain; where it does not, the partition is read from its beginning.
        """
        if last == 0:
            return 0
        end = self.end(partition)
        if topic_id == self.topic_id and 0 < hint <= end and self._links(partition, hint - 1, end)[:1] == [last]:
            return hint
        low = self.search(partition, end, lambda record: position_of(record) > last)
        return low if self._continues(partition, low, end, last) else 0

    def search(self, partition: int, end: int, beyond: Callable[[Record], bool]) -> int:
        """The offset after the last record of ours that is not `beyond`; 0 where all are, or there is none."""
        low, high = 0, end
        while low < high:
            middle = (low + high) // 2
            found = self.ours(partition, middle, end)
            if not found or beyond(found[0]):
                high = middle
            else:
                low = middle + 1
        return low

    def _continues(self, partition: int, offset: int, end: int, last: int) -> bool:
        if offset == 0:
            return True
        return self._links(partition, offset - 1, end, 1) == [last]

    def _links(self, partition: int, offset: int, end: int, most: int = 1) -> list[int]:
        return [position_of(record) for record in self.ours(partition, offset, end, most)]

    def ours(self, partition: int, offset: int, end: int, most: int = 1) -> list[Record]:
        """The first `most` records of ours from an offset on, before `end`."""
        found: list[Record] = []
        walk = self.walk({partition: offset}, {partition: end})
        try:
            while walk.under_way and len(found) < most:
                for records in walk.next().values():
                    found += [record for record in records if read_link(record.headers) is not None]
        except Silence as error:
            raise TimeoutError(f"the broker sends nothing more of {error}") from error
        return found[:most]


def link_of(record: Record) -> Link:
    """What a record of ours states of its place in the chain."""
    link = read_link(record.headers)
    assert link is not None
    return link


def position_of(record: Record) -> int:
    """The position that a record of ours states."""
    return link_of(record).position
