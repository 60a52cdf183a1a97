"""Events on the topic as the relay would have put them there, without a ledger: for tests that only read Kafka."""

from __future__ import annotations

from collections.abc import Iterable

from kafka import KafkaProducer

from events.vocabulary import EVERY_HOME
from services.local.topics import EVENTS
from services.log.clients import connected
from services.log.partition import partition_of
from services.log.record import Link
from tests.support.crisis import Written


class Feeder:
    """Continues the chains of one topic."""

    def __init__(self, bootstrap: str, partitions: int, topic: str = EVENTS) -> None:
        self._producer = connected(KafkaProducer, bootstrap, linger_ms=20, batch_size=500_000)
        self._partitions = partitions
        self._topic = topic
        self.last = dict.fromkeys(range(partitions), 0)

    def feed(self, events: Iterable[Written]) -> int:
        """Send events and wait until the broker has them; returns how many records those are."""
        sent = 0
        for event in events:
            everywhere = event.home == EVERY_HOME
            for number in range(self._partitions) if everywhere else [partition_of(event.home, self._partitions)]:
                self.record(number, event.home, event.wire(), Link(event.position, self.last[number]))
                self.last[number] = event.position
                sent += 1
        self._producer.flush()
        return sent

    def record(self, number: int, home: str, wire: bytes, link: Link) -> None:
        """One record with any link, as a frozen relay or a stranger might send it."""
        self._producer.send(self._topic, wire, home.encode(), link.headers(), partition=number)

    def close(self) -> None:
        self._producer.flush()
        self._producer.close()
