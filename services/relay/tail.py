"""Reads how the partitions end, as every reader must: drop what is not above the last position, stop at a broken chain.

It begins at the record that was saved as the last one. Where that one is not there any more (a broker lost its tail),
or none was saved, the whole partition is read: what was sent once is then known to be whole, whatever happened to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from services.local.topics import ALERTS, EVENTS
from services.log.clients import connected
from services.log.compiled import CompiledConsumer
from services.log.record import Link, read_link
from services.log.topic import TopicAbsent, look_up_topics
from services.log.walk import Silence, Walk
from services.relay.brokers import BrokerAway, somebody_listens
from services.relay.chain import Place
from services.relay.halts import Forked, WrongPartitions

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Foreign:
    """A record that is not ours, by its place; what it holds is nobody's business here."""

    at: TopicPartition
    offset: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Found:
    """A record of ours that the ledger must know, byte for byte."""

    at: TopicPartition
    offset: int
    link: Link
    value: bytes


@dataclass(slots=True)
class Tail:
    """How one partition ends. `found` is the last of the chain, `repeat` the very last record where that is another."""

    place: Place
    found: Found | None = None
    repeat: Found | None = None
    from_the_beginning: bool = False


@dataclass(slots=True)
class Tails:
    """How all partitions end, and the ids of their topics."""

    topic_ids: Mapping[str, UUID]
    by_partition: dict[TopicPartition, Tail] = field(default_factory=dict)
    foreign: list[Foreign] = field(default_factory=list)


def topic_ids(bootstrap: str, partitions: int) -> Mapping[str, UUID]:
    """The ids of our topics as they are now; BrokerAway where a topic is not there."""
    found = topics_there(bootstrap, partitions)
    for name in (EVENTS, ALERTS):
        if name not in found:
            raise BrokerAway(str(TopicAbsent(name, bootstrap.split(","))))
    return found


def topics_there(bootstrap: str, partitions: int) -> Mapping[str, UUID]:
    """The ids of those of our topics that exist. Raises BrokerAway and WrongPartitions."""
    try:
        topics = look_up_topics(somebody_listens(bootstrap), (EVENTS, ALERTS), "intabaza-relay-topics")
    except (KafkaError, OSError) as error:
        raise BrokerAway(f"no broker answers at {bootstrap} ({type(error).__name__})") from error
    for name, topic in topics.items():
        if topic.partitions != partitions:
            raise WrongPartitions(name, topic.partitions, partitions)
    return {name: topic.topic_id for name, topic in topics.items()}


def read_tails(
    bootstrap: str,
    partitions: int,
    saved: Callable[[Mapping[str, UUID]], Mapping[TopicPartition, Place]],
    reading: Callable[[TopicPartition, int, int], None] = lambda at, offset, end: None,
) -> Tails:
    """Read every partition from its saved place to its end; it blocks.

    `saved` is asked once the topics' ids are known, and may halt there; `reading` is told how far a long reading is.
    Raises Forked, WrongPartitions and BrokerAway.
    """
    ids = topic_ids(bootstrap, partitions)
    known = saved(ids)
    try:
        consumer = connected(
            CompiledConsumer,
            somebody_listens(bootstrap),
            client_id="intabaza-relay-tails",
            group_id=None,
            enable_auto_commit=False,
            bootstrap_timeout_ms=int(CONNECT_SECONDS * 1000),
            request_timeout_ms=int(CONNECT_SECONDS * 1000),
            max_poll_records=5_000,
            fetch_max_wait_ms=100,
            metrics_enabled=False,
        )
        try:
            return _read(consumer, Tails(ids), partitions, known, reading)
        finally:
            consumer.close()
    except (KafkaError, OSError) as error:
        raise BrokerAway(f"the ends of the topics could not be read ({type(error).__name__}: {error})") from error


def _read(
    consumer: KafkaConsumer,
    tails: Tails,
    partitions: int,
    known: Mapping[TopicPartition, Place],
    reading: Callable[[TopicPartition, int, int], None],
) -> Tails:
    every = [TopicPartition(topic, number) for topic in (EVENTS, ALERTS) for number in range(partitions)]
    begins, ends = consumer.beginning_offsets(every), consumer.end_offsets(every)
    for at in every:
        if begins[at] > 0:
            raise Forked(at, begins[at], "what stood before was deleted")
    ways = {at: _Way(at, ends[at], known.get(at, Place())) for at in every}
    _walk(consumer, [way for way in ways.values() if not way.lost_its_place], reading)
    if lost := [way for way in ways.values() if way.lost_its_place]:
        for way in lost:
            way.start_over()
        _walk(consumer, lost, reading)
    for at, way in ways.items():
        tails.by_partition[at] = way.tail()
        tails.foreign.extend(way.foreign)
    return tails


def _walk(consumer: KafkaConsumer, ways: Sequence[_Way], reading: Callable[[TopicPartition, int, int], None]) -> None:
    by_partition = {way.at: way for way in ways}
    begins, ends = {way.at: way.next_offset for way in ways}, {way.at: way.end for way in ways}
    walk = Walk(consumer, begins, ends, SILENCE_SECONDS)
    try:
        while walk.under_way:
            for at, records in walk.next().items():
                way = by_partition[at]
                for record in records:
                    way.take(record.offset, record.headers, record.value)
                reading(at, way.next_offset, way.end)
                if way.lost_its_place:
                    walk.leave(at)
    except Silence as error:
        raise BrokerAway(f"the broker does not send {error}") from error


class _Way:
    """One reader's way through one partition, from its saved place on or from the beginning."""

    def __init__(self, at: TopicPartition, end: int, saved: Place) -> None:
        self.at, self.end, self._saved = at, end, saved
        self.foreign: list[Foreign] = []
        self._last: Found | None = None
        self._repeat: Found | None = None
        # the saved last record is read again, to see that it is still there
        self._anchored = saved.last_position > 0
        self.next_offset = saved.next_offset - 1 if self._anchored else 0
        self.lost_its_place = self._anchored and self.next_offset >= end

    def start_over(self) -> None:
        """Read it from the beginning."""
        self.lost_its_place = self._anchored = False
        self.next_offset = 0

    def take(self, offset: int, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> None:
        """One more record, after the last."""
        if self.lost_its_place:
            return
        self.next_offset = offset + 1
        link = read_link(headers)
        if self._anchored and self._last is None:
            if link is None or link.position != self._saved.last_position or offset != self._saved.next_offset - 1:
                self.lost_its_place = True
                return
        elif link is not None and self._last is not None and link.position <= self._last.link.position:
            self._repeat = Found(self.at, offset, link, value or b"")
            return
        elif link is not None and link.previous != (self._last.link.position if self._last else 0):
            held = f"holds none after {self._last.link.position}" if self._last else "holds none before it"
            raise Forked(
                self.at,
                offset,
                f"position {link.position} follows {link.previous} there, and the partition {held}",
            )
        if link is None:
            self.foreign.append(Foreign(self.at, offset, len(value or b"")))
            return
        self._last, self._repeat = Found(self.at, offset, link, value or b""), None

    def tail(self) -> Tail:
        """What was found."""
        last = self._last
        place = Place(last.link.position, last.offset + 1, self.end) if last else Place(0, 0, self.end)
        return Tail(place, last, self._repeat, from_the_beginning=not self._anchored)
