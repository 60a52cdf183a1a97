"""Why the relay sends nothing more until a person has done something: each a sentence that says what.

Halt
├── KafkaKnowsMore   the ledger lost events, or holds others: the door to appends is shut
├── Forked           a partition does not continue its own chain: everything is sent again on a new topic
├── LedgerDamaged    a position is missing in the ledger itself
├── TopicReplaced    the topic is another one than the relay filled
└── WrongPartitions  a topic has another number of partitions than the setting says
"""

from __future__ import annotations

from kafka import TopicPartition

MEND = "run `intabaza relay republish`, which makes the topic anew and sends everything again"


class Halt(Exception):
    """The relay stops and says why."""


class KafkaKnowsMore(Halt):
    """Kafka holds an event that the ledger does not have, or has with other bytes."""

    def __init__(self, at: TopicPartition, offset: int, position: int, what: str) -> None:
        super().__init__(
            f"{at.topic} partition {at.partition} holds position {position} at offset {offset}, and {what}: Kafka "
            "knows more than the ledger, so nothing is appended and nothing sent until the ledger is restored from it "
            "by `intabaza ledger restore`"
        )


class Forked(Halt):
    """A partition does not continue its own chain."""

    def __init__(self, at: TopicPartition, offset: int, what: str) -> None:
        super().__init__(
            f"{at.topic} partition {at.partition} has forked at offset {offset}: {what}. To mend it, {MEND}"
        )


class LedgerDamaged(Halt):
    """A position is missing in the ledger itself."""

    def __init__(self, missing: int, position: int) -> None:
        super().__init__(
            f"the ledger holds position {position} but not {missing}: it is damaged; stop every process and restore it "
            "from Kafka"
        )


class TopicReplaced(Halt):
    """The topic has another id than the one that the relay filled."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"{topic} is another topic than the one that was filled (somebody deleted it and made it anew, or this is "
            f"another Kafka). Bring the old one back if it still exists; if it is gone, {MEND}"
        )


class WrongPartitions(Halt):
    """A topic has another number of partitions than the setting says."""

    def __init__(self, topic: str, found: int, wanted: int) -> None:
        super().__init__(
            f"{topic} has {found} partitions and the setting says {wanted}: set INTABAZA_PARTITIONS={found}, since the "
            "partition of a home must never change"
        )
