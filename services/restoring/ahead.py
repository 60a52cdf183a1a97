"""Whether Kafka knows more than the ledger, asked before anybody can append: a ledger that was put back finds out."""

from __future__ import annotations

import asyncio
import time

import asyncpg
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from services.ledger.batcher import CONNECT_SECONDS, LOST
from services.local.problems import LocalProblem
from services.local.topics import TOPICS
from services.log.clients import connected
from services.log.record import read_link
from services.restoring.ledger import SQL

LOOK_BACK = 500
"""How many records from a partition's end: repeats and strangers' records may stand behind the last of the chain."""

SILENCE_SECONDS = 15.0

BECAUSE = (
    "Kafka knows more than the ledger: it goes up to position {there} at least, and the ledger to {here}; run "
    "`intabaza ledger restore`, and the relay opens the door once both agree"
)


def shut_where_kafka_is_ahead(owner_dsn: str, bootstrap: str, partitions: int) -> str | None:
    """Shut the door to appends where Kafka has a position that the ledger does not have; why, where it did.

    It looks at the ends alone; what differs before them is found by the relay. It blocks, and raises LocalProblem.
    """
    there = _last_position(bootstrap, partitions)
    try:
        return asyncio.run(_shut(owner_dsn, there))
    except LOST as error:
        raise LocalProblem(
            f"The database did not answer ({str(error) or type(error).__name__}): see `intabaza logs postgres`."
        ) from error


async def _shut(owner_dsn: str, there: int) -> str | None:
    connection = await asyncpg.connect(owner_dsn, timeout=CONNECT_SECONDS)
    try:
        standing = await connection.fetchrow(SQL["head"])
        assert standing is not None
        if there <= standing["position"]:
            return None
        because = BECAUSE.format(there=there, here=standing["position"])
        await connection.execute(SQL["shut"], because)
        return because
    finally:
        await connection.close()


def _last_position(bootstrap: str, partitions: int) -> int:
    """The last position that stands at the end of any partition; 0 on empty topics."""
    every = [TopicPartition(topic, number) for topic in TOPICS for number in range(partitions)]
    try:
        reader = connected(
            KafkaConsumer,
            bootstrap,
            client_id="intabaza-ahead",
            group_id=None,
            enable_auto_commit=False,
            fetch_max_wait_ms=100,
            metrics_enabled=False,
        )
        try:
            return _read_ends(reader, every)
        finally:
            reader.close()
    except (KafkaError, OSError) as error:
        raise LocalProblem(
            f"The ends of the topics could not be read ({type(error).__name__}: {error}): see `intabaza logs kafka`; "
            "starting again does no harm."
        ) from error


def _read_ends(reader: KafkaConsumer, every: list[TopicPartition]) -> int:
    ends = reader.end_offsets(every)
    begins = reader.beginning_offsets(every)
    waiting = {at for at in every if ends[at] > begins[at]}
    if not waiting:
        return 0
    reader.assign(sorted(waiting))
    for at in waiting:
        reader.seek(at, max(ends[at] - LOOK_BACK, begins[at]))
    last, heard = 0, time.monotonic()
    while waiting:
        for records in reader.poll(timeout_ms=500).values():
            heard = time.monotonic()
            for record in records:
                if (link := read_link(record.headers)) is not None:
                    last = max(last, link.position)
        waiting = {at for at in waiting if reader.position(at) < ends[at]}
        if waiting and time.monotonic() - heard > SILENCE_SECONDS:
            raise LocalProblem(f"The broker does not send {next(iter(waiting))}: see `intabaza logs kafka`.")
    return last
