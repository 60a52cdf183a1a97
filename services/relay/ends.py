"""The newest event that Kafka holds, found at the ends of the topics without reading what stands before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from services.local.topics import TOPICS
from services.local_problem import LocalProblem
from services.log.clients import connected
from services.log.compiled import CompiledConsumer
from services.log.record import read_link
from services.log.walk import Silence, Walk

LOOK_BACK = 500
"""How many records from a partition's end: repeats and strangers' records may stand behind the last of the chain."""

SILENCE_SECONDS = 15.0


class Newest(NamedTuple):
    """The last position on Kafka, its event's bytes, and when it was sent there."""

    position: int
    wire: bytes
    sent_at: datetime


def newest(
    bootstrap: str, partitions: int, topics: Sequence[str] = TOPICS, *, by_its_own_word: bool = False
) -> Newest | None:
    """What stands at the end of any partition of topics that are there, under the highest position; None on empty ones.

    Where a record counts `by_its_own_word` alone, its event says that position too; else a stranger wrote the headers.

    It blocks, and raises LocalProblem where the broker does not answer.
    """
    every = [TopicPartition(topic, number) for topic in topics for number in range(partitions)]
    try:
        reader = connected(
            CompiledConsumer,
            bootstrap.split(","),
            client_id="intabaza-ends",
            group_id=None,
            enable_auto_commit=False,
            fetch_max_wait_ms=100,
            metrics_enabled=False,
        )
        try:
            return _read_ends(reader, every, by_its_own_word)
        finally:
            reader.close()
    except (KafkaError, OSError) as error:
        raise LocalProblem(
            f"The ends of the topics could not be read ({type(error).__name__}: {error}): see `intabaza logs kafka`; "
            "starting again does no harm."
        ) from error


def _read_ends(reader: KafkaConsumer, every: list[TopicPartition], by_its_own_word: bool) -> Newest | None:
    ends = reader.end_offsets(every)
    begins = reader.beginning_offsets(every)
    walk = Walk(reader, {at: max(ends[at] - LOOK_BACK, begins[at]) for at in every}, ends, SILENCE_SECONDS)
    last: Newest | None = None
    try:
        while walk.under_way:
            for records in walk.next().values():
                for record in records:
                    link = read_link(record.headers)
                    if link is None or (last is not None and link.position <= last.position):
                        continue
                    if not by_its_own_word or _says(record.value or b"", link.position):
                        last = Newest(link.position, record.value or b"", _moment(record.timestamp))
    except Silence as error:
        raise LocalProblem(f"The broker does not send {error}: see `intabaza logs kafka`.") from error
    return last


def _says(value: bytes, position: int) -> bool:
    """Whether a record is an event that says that it stands there."""
    try:
        return bool(orjson.loads(value).get("sequence") == f"{position:019d}")
    except (orjson.JSONDecodeError, AttributeError):
        return False


def _moment(milliseconds: int) -> datetime:
    """When a record was sent, as whoever sent it says: that may be a moment which no calendar has."""
    try:
        return datetime.fromtimestamp(milliseconds / 1_000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.min.replace(tzinfo=UTC)
