"""What is on Kafka in order of position, in bounded memory: partitions are read abreast, and whoever is ahead waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kafka import TopicPartition
from kafka.errors import KafkaError

from services.local_problem import LocalProblem
from services.log.clients import connected
from services.log.compiled import CompiledConsumer
from services.log.record import read_link
from services.log.topic import CONNECT_MS, TopicAbsent, look_up_topics
from services.log.walk import Silence, Walk
from services.relay.chain import BATCH_EVENTS

SENDING = BATCH_EVENTS
"""So many of Kafka's last positions may lack one beyond what is signed: what the relay sends at once arrives in no
order."""

CLIENT = "intabaza-audit"
MOST_WAITING_BYTES = 2_000_000
"""What one partition may hold back before it waits for the others."""


class Standing(NamedTuple):
    """One record of ours, and where it stands."""

    at: TopicPartition
    offset: int
    position: int
    previous: int
    value: bytes


class Broken(Exception):
    """A record does not continue its partition's chain."""

    def __init__(self, at: TopicPartition, offset: int, position: int, previous: int, last: int) -> None:
        self.position = position
        super().__init__(
            f"{at.topic}, partition {at.partition}, offset {offset} says that it follows {previous}, and {last} "
            "stands before it"
        )


@dataclass
class _Lane:
    at: TopicPartition
    last: int = 0
    waiting: deque[Standing] = field(default_factory=deque)
    bytes_waiting: int = 0


def reader(bootstrap: str, **settings: Any) -> CompiledConsumer:
    """A consumer without a group; raises LocalProblem where no broker answers."""
    try:
        return connected(
            CompiledConsumer,
            bootstrap.split(","),
            client_id=CLIENT,
            group_id=None,
            bootstrap_timeout_ms=CONNECT_MS,
            request_timeout_ms=CONNECT_MS,
            enable_auto_commit=False,
            max_poll_records=5_000,
            fetch_max_wait_ms=100,
            metrics_enabled=False,
            **settings,
        )
    except (KafkaError, OSError) as error:
        raise away(bootstrap, error) from error


def away(bootstrap: str, error: BaseException) -> LocalProblem:
    """What is said of a Kafka that does not answer."""
    return LocalProblem(
        f"Kafka at {bootstrap} could not be read ({type(error).__name__}: {error}): see `intabaza status`, or correct "
        "INTABAZA_KAFKA_BOOTSTRAP."
    )


def partitions_of(bootstrap: str, topics: Sequence[str]) -> Mapping[TopicPartition, int]:
    """Every partition of these topics, and the offset after its last record; raises LocalProblem, also TopicAbsent."""
    try:
        found = look_up_topics(bootstrap.split(","), topics, CLIENT)
        for name in topics:
            if name not in found:
                raise TopicAbsent(name, bootstrap.split(","))
        consumer = reader(bootstrap)
        try:
            every = [TopicPartition(name, number) for name in topics for number in range(found[name].partitions)]
            return dict(consumer.end_offsets(every))
        finally:
            consumer.close()
    except (KafkaError, OSError) as error:
        raise away(bootstrap, error) from error


def in_order(bootstrap: str, ends: Mapping[TopicPartition, int]) -> Iterator[list[Standing]]:
    """The records of each position, in order, up to these ends; repeats and foreign records are left out.

    Raises Broken where a chain is, LocalProblem where the broker is away.
    """
    lanes = {at: _Lane(at) for at in ends}
    consumer = reader(bootstrap)
    try:
        walk = Walk(consumer, dict.fromkeys(ends, 0), ends)
        while True:
            _fill(walk, lanes)
            heads = [lane for lane in lanes.values() if lane.waiting]
            if not heads:
                return
            lowest = min(lane.waiting[0].position for lane in heads)
            found = []
            for lane in heads:
                if lane.waiting[0].position == lowest:
                    found.append(lane.waiting.popleft())
                    lane.bytes_waiting -= len(found[-1].value)
            yield found
    except (KafkaError, OSError, Silence) as error:
        raise away(bootstrap, error) from error
    finally:
        consumer.close()


def _fill(walk: Walk, lanes: Mapping[TopicPartition, _Lane]) -> None:
    """Read until every partition that has not ended has a record waiting."""
    while any(not lane.waiting and lane.at in walk.under_way for lane in lanes.values()):
        for lane in lanes.values():
            (walk.hold if lane.bytes_waiting > MOST_WAITING_BYTES else walk.go_on)(lane.at)
        for at, records in walk.next().items():
            for record in records:
                _take(lanes[at], record)


def _take(lane: _Lane, record: Any) -> None:
    link = read_link(record.headers)
    if link is None or link.position <= lane.last:
        return
    if link.previous != lane.last:
        raise Broken(lane.at, record.offset, link.position, link.previous, lane.last)
    lane.last = link.position
    value = record.value or b""
    lane.waiting.append(Standing(lane.at, record.offset, link.position, link.previous, value))
    lane.bytes_waiting += len(value)
