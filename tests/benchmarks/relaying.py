"""Relaying: the ledger to Kafka by our relay, against a bare idempotent kafka-python producer of the same bytes."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from rich.console import Console
from rich.table import Table

from events.envelope import splice
from services import clock
from services.ledger.ledger import Append, Entry, Submission
from services.ledger.postgres import PostgresLedger
from services.local.topics import ALERTS, EVENTS, TOPIC_SETTINGS, make_topics
from services.log.partition import partition_of
from services.log.record import Link
from tests.benchmarks.servers import PARTITIONS, Database, Servers, servers

MARK = 0.6
BARE = "bare.v1"
BODY = b'{"data":"' + b"x" * 520 + b'"}'
"""With what the relay adds, about 600 bytes on the wire."""
HOMES = [f"bi:home:{number}" for number in range(1, 32)]
AT = datetime(2027, 1, 1, tzinfo=UTC)

PACED_SECONDS = 10.0
PACED_CALLERS = 8
PACED_PAUSE_SECONDS = 0.02


def compare(events: int, rounds: int) -> None:
    """Both in turns on the same broker, then how long one event takes."""
    with servers() as running:
        figures = [(_bare(running, events), asyncio.run(_relayed(running, events))) for _ in range(max(rounds, 1))]
        delays = asyncio.run(_delays(running))
    bare, ours = (statistics.median(each) for each in zip(*figures, strict=True))
    table = Table("what", "events/s", "of the bare producer", title=f"relaying {events:,} events of 600 bytes")
    table.add_row("bare idempotent kafka-python producer, bytes ready in memory", f"{bare:,.0f}", "1")
    table.add_row("our relay, from PostgreSQL, chained, acknowledged and saved", f"{ours:,.0f}", f"{ours / bare:.2f}")
    Console(width=120).print(table)
    print(f"mark: at least {MARK} of the bare producer")
    delays.sort()
    p50, p99 = (delays[int(len(delays) * share)] * 1e3 for share in (0.5, 0.99))
    print(f"append → seen on Kafka by a consumer, {len(delays):,} events paced: p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def _bare(running: Servers, events: int) -> float:
    admin = KafkaAdminClient(bootstrap_servers=running.bootstrap)
    if BARE in admin.list_topics():
        admin.delete_topics([BARE])
        while BARE in admin.list_topics():
            time.sleep(0.05)
    wanted = {"num_partitions": PARTITIONS, "replication_factor": 1, "configs": dict(TOPIC_SETTINGS)}
    admin.create_topics({BARE: wanted}, wait_for_metadata=True)
    admin.close()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(send_bare, running.bootstrap, events).result()


def send_bare(bootstrap: str, events: int) -> float:
    """Everything is made before the clock starts; what is measured is the producer alone."""
    ready = []
    for position in range(1, events + 1):
        home = HOMES[position % len(HOMES)]
        link = Link(position, position - 1).headers()
        ready.append((splice(BODY, position, AT), home.encode(), link, partition_of(home, PARTITIONS)))
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, batch_size=500_000)
    producer.partitions_for(BARE)
    started = time.perf_counter()
    for value, key, headers, partition in ready:
        producer.send(BARE, value, key, headers, partition=partition)
    producer.flush()
    seconds = time.perf_counter() - started
    producer.close()
    return events / seconds


async def _relayed(running: Servers, events: int) -> float:
    await asyncio.to_thread(_empty_topics, running.bootstrap)
    async with running.database() as database:
        owner = await asyncpg.connect(database.dsn("postgres"))
        await _fill(owner, events)
        with _relay(database):
            began_at, began = await _acknowledged(owner, 1)
            ended_at, _ = await _acknowledged(owner, events)
        await owner.close()
    return (events - began) / (ended_at - began_at)


async def _fill(owner: asyncpg.Connection[asyncpg.Record], events: int) -> None:
    """Put rows into the ledger as no program of ours may: by COPY, since it is not the append that is measured."""
    command, mac = uuid4(), b"m" * 32
    rows = (
        (number, f"bench/{number}", 1, uuid4(), "bench", HOMES[number % len(HOMES)], AT, command, mac, BODY, 1)
        for number in range(1, events + 1)
    )
    await owner.copy_records_to_table("event", schema_name="ledger", records=rows)
    await owner.execute("analyze ledger.event")


async def _acknowledged(owner: asyncpg.Connection[asyncpg.Record], position: int) -> tuple[float, int]:
    async with asyncio.timeout(300):
        while (held := await owner.fetchval("select relay.acknowledged()")) < position:  # noqa: ASYNC110 - measured
            await asyncio.sleep(0.005)
    return time.perf_counter(), int(held)


@contextmanager
def _relay(database: Database) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="bench-relay-") as folder, (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.relay"],
            env=database.environment(Path(folder)),
            stdout=log,
            stderr=log,
        )
        try:
            yield
            assert process.poll() is None, "the relay ended by itself"
        finally:
            process.terminate()
            process.wait(10)


def _empty_topics(bootstrap: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    if there := sorted({EVENTS, ALERTS} & set(admin.list_topics())):
        admin.delete_topics(there)
        while {EVENTS, ALERTS} & set(admin.list_topics()):
            time.sleep(0.05)
    admin.close()
    make_topics(bootstrap, PARTITIONS, 1)


async def _delays(running: Servers) -> list[float]:
    """How long from the call of `append` until a consumer has the record, at some hundreds of events a second."""
    await asyncio.to_thread(_empty_topics, running.bootstrap)
    async with running.database() as database:
        owner = await asyncpg.connect(database.dsn("postgres"))
        ledger = await PostgresLedger.connect(database.dsn("intabaza_app"), clock.now)
        called: dict[int, float] = {}
        seen: dict[int, float] = {}
        over = threading.Event()
        reader = threading.Thread(target=_see, args=(running.bootstrap, seen, over))
        reader.start()

        async def call(number: int) -> None:
            ends = time.perf_counter() + PACED_SECONDS
            while time.perf_counter() < ends:
                began = time.perf_counter()
                accepted = await ledger.append(_submission(HOMES[number]))
                called[accepted.placed[0].position] = began
                await asyncio.sleep(PACED_PAUSE_SECONDS)

        with _relay(database):
            await ledger.append(_submission(HOMES[0]))
            await _acknowledged(owner, 1)
            await asyncio.gather(*(call(number) for number in range(PACED_CALLERS)))
            await _acknowledged(owner, max(called))
        async with asyncio.timeout(30):
            while not called.keys() <= seen.keys():  # noqa: ASYNC110 - the reader is a thread of its own
                await asyncio.sleep(0.05)
        over.set()
        await asyncio.to_thread(reader.join)
        await ledger.close()
        await owner.close()
    return [seen[position] - began for position, began in called.items()]


def _submission(home: str) -> Submission:
    entry = Entry(uuid4(), "bench", BODY)
    return Submission(uuid4(), b"m" * 32, (Append(f"bench/{uuid4()}", 0, home, (entry,)),))


def _see(bootstrap: str, seen: dict[int, float], over: threading.Event) -> None:
    reader = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, fetch_max_wait_ms=100)
    reader.assign([TopicPartition(EVENTS, number) for number in range(PARTITIONS)])
    reader.seek_to_beginning()
    while not over.is_set():
        for records in reader.poll(timeout_ms=100).values():
            now = time.perf_counter()
            for record in records:
                seen.setdefault(int(dict(record.headers)["position"]), now)
    reader.close()
