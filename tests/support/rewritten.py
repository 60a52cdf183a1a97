"""A topic as somebody rewrote it: everything deleted, and sent again with chains that fit."""

from __future__ import annotations

import json
from collections.abc import Iterable

from kafka import KafkaProducer

from events.vocabulary import EVERY_HOME
from services.local.topics import ALERTS, EVENTS
from services.log.partition import partition_of
from services.log.record import Link
from tests.support.relays import PARTITIONS, empty_topics


def rewrite(bootstrap: str, wires: Iterable[bytes]) -> None:
    """Both topics hold these events and nothing else, as a relay would have sent them."""
    empty_topics(bootstrap)
    producer = KafkaProducer(bootstrap_servers=bootstrap.split(","), linger_ms=20)
    for (topic, number), records in as_sent(wires).items():
        before = 0
        for position, home, wire in records:
            producer.send(topic, wire, home.encode(), Link(position, before).headers(), partition=number)
            before = position
    producer.flush()
    producer.close()


def as_sent(wires: Iterable[bytes]) -> dict[tuple[str, int], list[tuple[int, str, bytes]]]:
    """Position, home and bytes of what stands in each topic's partitions when these events were sent in this order."""
    sent: dict[tuple[str, int], list[tuple[int, str, bytes]]] = {}
    for wire in wires:
        event = json.loads(wire)
        home, position = event["partitionkey"], int(event["sequence"])
        numbers = range(PARTITIONS) if home == EVERY_HOME else (partition_of(home, PARTITIONS),)
        topics = (EVENTS, ALERTS) if event["type"] == "alert.issued" else (EVENTS,)
        for at in [(topic, number) for topic in topics for number in numbers]:
            records = sent.setdefault(at, [])
            if not records or position > records[-1][0]:  # what does not follow would be dropped by every reader
                records.append((position, home, wire))
    return sent
