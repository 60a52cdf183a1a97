"""How long a command takes to reach Kafka and PostgreSQL's projections, at half of the load that all of it can sustain.

Ledger, relay and processors are the real processes, with every live projection. The load that can be sustained is what
came through to the projections while callers that wait for nothing sent as fast as they could.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta, timezone
from itertools import count
from pathlib import Path
from uuid import UUID

import asyncpg
from kafka import KafkaConsumer, TopicPartition

from services.acts import report as acts
from services.acts.network import Committee, Network
from services.gazetteer import read_gazetteer
from services.local.topics import EVENTS
from services.log.partition import partition_of
from services.processors.live import LIVE
from services.vault.master import MasterKey
from services.wiring import open_network
from tests.benchmarks.appending import GAZETTEER, order
from tests.benchmarks.processes import end, start
from tests.benchmarks.servers import PARTITIONS, SOURCE, Database, Servers, servers

CALLERS = 32
FLAT_OUT_SECONDS = 10.0
PACED_SECONDS = 20.0
LOOK_SECONDS = 0.002

MARKS = "aim 10 and 30 ms at the median, 150 ms at p99"


def compare() -> None:
    """Find the load, halve it, and print how long each command took."""
    with servers() as running:
        asyncio.run(_compare(running))


async def _compare(running: Servers) -> None:
    async with running.database() as database, _everything(database) as (network, people):
        homes: dict[int, str] = {}
        numbers = count()
        units = [unit.unit_id for unit in network.gazetteer.in_force()][:100]

        async def command() -> int:
            number = next(numbers)
            unit, person = units[number % 100], people[number % 100]
            accepted = await acts.receive(network, order(person, unit), person)
            position = accepted.placed[-1].position
            homes[position] = network.gazetteer.home_of(unit)
            return position

        with _Seen(database.servers.bootstrap) as seen:
            async with _projected(database) as done:
                sustained = await _flat_out(command, homes, done)
                print(f"sustained: {sustained:,.0f} commands a second; measured at half of it", flush=True)
                called = await _paced(command, sustained / 2)
                await _until(lambda: all(position in seen.at for position in called), 60)
                await _until(lambda: all(done.has(position, homes[position]) for position in called), 60)
                done.stop()
                print(f"{len(called):,} commands; {MARKS}")
                _print(
                    "command → answered (in the ledger, synced)", [after - began for began, after in called.values()]
                )
                _print("command → event on Kafka", [seen.at[each] - began for each, (began, _) in called.items()])
                projected = [done.when(each, homes[each]) - began for each, (began, _) in called.items()]
                _print("command → rows of every projection in PostgreSQL", projected)


@asynccontextmanager
async def _everything(database: Database) -> AsyncIterator[tuple[Network, list[UUID]]]:
    gazetteer = read_gazetteer(GAZETTEER)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environment, log = database.environment(Path(folder)), Path(folder) / "log"
        processes = [
            start([sys.executable, "-m", f"services.{name}"], log, environment) for name in ("relay", "processors")
        ]
        try:
            async with open_network(
                database.dsn("intabaza_app"),
                database.dsn("intabaza_vault"),
                MasterKey(secrets.token_bytes(32)),
                gazetteer,
                Committee(frozenset(), 2),
                zone=timezone(timedelta(hours=2)),
                source=SOURCE,
            ) as network:
                phones = [f"+2577900{number:04}" for number in range(100)]
                yield network, [await network.desk.persons.person_by_phone(phone) for phone in phones]
                assert all(one.poll() is None for one in processes), log.read_text()[-2_000:]
        finally:
            end(processes)


async def _flat_out(command: Callable[[], Awaitable[int]], homes: Mapping[int, str], done: _Projected) -> float:
    """Commands a second that came all the way through, by callers that do not wait for that."""
    first = await command()
    await _until(lambda: done.has(first, homes[first]), 120)  # the processes have begun
    began = time.perf_counter()
    positions = []

    async def repeat() -> None:
        while time.perf_counter() - began < FLAT_OUT_SECONDS:
            positions.append(await command())

    await asyncio.gather(*(repeat() for _ in range(CALLERS)))
    await _until(lambda: done.has(max(positions), homes[max(positions)]), 120)
    return len(positions) / (time.perf_counter() - began)


async def _paced(command: Callable[[], Awaitable[int]], rate: float) -> dict[int, tuple[float, float]]:
    """When each position was asked for and answered, at so many commands a second, whoever is late."""
    called: dict[int, tuple[float, float]] = {}
    started = time.perf_counter()

    async def one() -> None:
        began = time.perf_counter()
        position = await command()
        called[position] = began, time.perf_counter()

    async with asyncio.TaskGroup() as group:
        for number in range(int(PACED_SECONDS * rate)):
            await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
            group.create_task(one())
    return called


class _Projected:
    """How far every projection has come in each partition, and since when."""

    def __init__(self) -> None:
        self._at: list[list[tuple[int, float]]] = [[(0, 0.0)] for _ in range(PARTITIONS)]
        self._stopped = False

    async def look(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        while not self._stopped:
            rows = await connection.fetch(
                "select partition, min(last_position) as position, count(*) as places from projections.watermark "
                "group by partition"
            )
            now = time.perf_counter()
            for row in rows:
                at = self._at[row["partition"]]
                if row["places"] == len(LIVE) and row["position"] > at[-1][0]:
                    at.append((row["position"], now))
            await asyncio.sleep(LOOK_SECONDS)

    def has(self, position: int, home: str) -> bool:
        return self._at[partition_of(home, PARTITIONS)][-1][0] >= position

    def when(self, position: int, home: str) -> float:
        return next(now for reached, now in self._at[partition_of(home, PARTITIONS)] if reached >= position)

    def stop(self) -> None:
        self._stopped = True


@asynccontextmanager
async def _projected(database: Database) -> AsyncIterator[_Projected]:
    connection = await asyncpg.connect(database.dsn("postgres"))
    done = _Projected()
    looking = asyncio.ensure_future(done.look(connection))
    try:
        yield done
    finally:
        done.stop()
        await looking
        await connection.close()


class _Seen:
    """A consumer of its own thread that notes when each position came."""

    def __init__(self, bootstrap: str) -> None:
        self.at: dict[int, float] = {}
        self._bootstrap = bootstrap
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> _Seen:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        reader = KafkaConsumer(bootstrap_servers=self._bootstrap, group_id=None, fetch_max_wait_ms=100)
        reader.assign([TopicPartition(EVENTS, number) for number in range(PARTITIONS)])
        reader.seek_to_beginning()
        while not self._over.is_set():
            for records in reader.poll(timeout_ms=100).values():
                now = time.perf_counter()
                for record in records:
                    self.at.setdefault(int(dict(record.headers)["position"]), now)
        reader.close()


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.005)


def _print(what: str, seconds: list[float]) -> None:
    seconds.sort()
    p50, p99 = (seconds[int(len(seconds) * share)] * 1e3 for share in (0.5, 0.99))
    print(f"{what}: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
