"""Folding again from Kafka: a rebuild of every projection against the live rate, a replay against a bare poll loop."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import asyncpg
from kafka import KafkaConsumer, TopicPartition
from rich.console import Console
from rich.table import Table

from projections.live import LIVE
from services.local.topics import EVENTS
from services.processors.rebuild import rebuild
from services.processors.replay import replay
from tests.benchmarks.processes import end, start
from tests.benchmarks.projecting import PROGRESS
from tests.benchmarks.servers import PARTITIONS, Database, Servers
from tests.benchmarks.watching import spread, watch

PROCESSES = 2
REPLAYED = "case_timeline"
MARK_REBUILT, MARK_REPLAYED = 2.0, 0.7


async def refold(servers: Servers, rounds: int) -> None:
    """All four in turns, on the same events and rows."""
    records = servers.records()
    live, rebuilt, replayed, polled = [], [], [], []
    for number in range(rounds):
        async with servers.database() as database:
            live.append(await _live(database, records))
            began = time.perf_counter()
            await rebuild(database.projector_dsn, servers.bootstrap, EVENTS, LIVE, PROCESSES)
            rebuilt.append(records / (time.perf_counter() - began))
            chosen = next(one for one in LIVE if one.name == REPLAYED)
            began = time.perf_counter()
            summed = await replay(database.projector_dsn, servers.bootstrap, EVENTS, chosen, PROCESSES, diff=False)
            replayed.append(records / (time.perf_counter() - began))
            assert summed.rows
        polled.append(records / poll(servers.bootstrap))
        print(
            f"round {number + 1}: {live[-1]:,.0f} {rebuilt[-1]:,.0f} {replayed[-1]:,.0f} {polled[-1]:,.0f}", flush=True
        )
    table = Table("what", "records/s", "against", "ratio", "mark", title=f"{records:,} records, {rounds} rounds")
    names = f"all {len(LIVE)} projections"
    table.add_row(f"live, {names}, one process", spread(live, 0), "", "", "")
    ratios = [ours / theirs for ours, theirs in zip(rebuilt, live, strict=True)]
    table.add_row(
        f"rebuild of {names}, {PROCESSES} processes", spread(rebuilt, 0), "live", spread(ratios), str(MARK_REBUILT)
    )
    table.add_row(f"bare kafka-python poll loop, {PROCESSES} processes", spread(polled, 0), "", "", "")
    ratios = [ours / theirs for ours, theirs in zip(replayed, polled, strict=True)]
    table.add_row(
        f"replay of {REPLAYED} with its digest, {PROCESSES} processes",
        spread(replayed, 0), "bare poll", spread(ratios), str(MARK_REPLAYED),
    )  # fmt: skip
    Console(width=140).print(table)


async def _live(database: Database, records: int) -> float:
    names = [one.name for one in LIVE]
    connection = await asyncpg.connect(database.dsn("postgres"))
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        log = Path(folder) / "log"
        worker = start([sys.executable, "-m", "services.processors"], log, database.environment(Path(folder)))
        try:

            async def progress() -> int:
                return int(await connection.fetchval(PROGRESS, names))

            return (await watch([worker.pid], progress, records, log)).rate
        finally:
            end([worker])
            await connection.close()


def poll(bootstrap: str) -> float:
    """Seconds for reading the whole topic with nothing done to it."""
    began = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        shares = [range(first, PARTITIONS, PROCESSES) for first in range(PROCESSES)]
        for done in [pool.submit(poll_share, bootstrap, share) for share in shares]:
            assert done.result()
    return time.perf_counter() - began


def poll_share(bootstrap: str, share: range) -> int:
    """Read some partitions to their ends; returns how many records those were."""
    reader = KafkaConsumer(
        bootstrap_servers=bootstrap.split(","), group_id=None, enable_auto_commit=False, max_poll_records=5_000
    )
    places = [TopicPartition(EVENTS, number) for number in share]
    reader.assign(places)
    reader.seek_to_beginning(*places)
    total, read = sum(reader.end_offsets(places).values()), 0
    while read < total:
        for records in reader.poll(timeout_ms=500).values():
            read += len(records)
    reader.close()
    return read
