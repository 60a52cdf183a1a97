"""Observers in processes of their own: what looks on holds neither the loop nor the interpreter of what is looked at.

Times are `time.perf_counter`, which all processes of one machine share.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import asyncpg
from kafka import KafkaConsumer, TopicPartition

from projections.live import LIVE
from services.local.topics import EVENTS

LOOK_SECONDS = 0.004
_SPAWN = get_context("spawn")

Arrivals = dict[int, float]
"""When each position was seen on Kafka."""


class Progress:
    """How far every projection had come in each partition, and since when."""

    def __init__(self, at: dict[int, list[tuple[int, float]]]) -> None:
        self._at = at

    def when(self, position: int, partition: int) -> float:
        """When this position of this partition was folded by all of them."""
        seen = self._at[partition]
        return seen[bisect_left(seen, (position, 0.0))][1]


class Observer:
    """One observer; `finish` tells it the last position to wait for and gives what it saw."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def finish(self, seconds: float = 60) -> Any:
        """What it saw; raises TimeoutError where it does not answer."""
        self._line.send("over")
        if not self._line.poll(seconds):
            raise TimeoutError("an observer does not answer")
        return self._line.recv()


@contextmanager
def observer(watch: Callable[..., None], *arguments: object) -> Iterator[Observer]:
    """Run a watch in a process of its own, from when it says that it looks."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=watch, args=(theirs, *arguments), daemon=True)
    process.start()
    try:
        assert ours.poll(60), "an observer does not begin"
        ours.recv()
        yield Observer(ours)
    finally:
        process.terminate()
        process.join()


def watch_topic(line: Connection, bootstrap: str, partitions: int, topic: str = EVENTS) -> None:
    """Note when each position of the topic arrives."""
    at: Arrivals = {}
    reader = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, fetch_max_wait_ms=100)
    reader.assign([TopicPartition(topic, number) for number in range(partitions)])
    reader.seek_to_beginning()
    reader.poll(timeout_ms=1_000)
    line.send("looks")
    while not line.poll():
        for records in reader.poll(timeout_ms=100).values():
            now = time.perf_counter()
            for record in records:
                at.setdefault(int(dict(record.headers)["position"]), now)
    line.send(at)


OF_PROJECTIONS = (
    "select partition, min(last_position) as position, count(*) as places from projections.watermark group by partition"
)


def watch_projections(line: Connection, dsn: str, query: str = OF_PROJECTIONS, places: int = len(LIVE)) -> None:
    """Note how far the projection that is furthest behind has come in each partition, where all of them are."""
    line.send(asyncio.run(_watch_projections(line, dsn, query, places)))


async def _watch_projections(line: Connection, dsn: str, query: str, places: int) -> Progress:
    at: dict[int, list[tuple[int, float]]] = {}
    connection = await asyncpg.connect(dsn)
    line.send("looks")
    while not line.poll():
        rows = await connection.fetch(query)
        now = time.perf_counter()
        for row in rows:
            seen = at.setdefault(row["partition"], [(0, now)])
            if row["places"] == places and row["position"] > seen[-1][0]:
                seen.append((row["position"], now))
        await asyncio.sleep(LOOK_SECONDS)
    await connection.close()
    return Progress(at)
