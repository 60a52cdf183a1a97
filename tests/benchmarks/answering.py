"""How long a command takes to reach Kafka and PostgreSQL's projections, at half of the load that all of it can sustain.

Ledger, relay and processors are the real processes, with every live projection. The load that can be sustained is what
came through to the projections while callers that wait for nothing sent as fast as they could.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from projections.live import LIVE
from services.acts import report as acts
from services.acts.network import Committee, Network
from services.gazetteer import read_gazetteer
from services.log.partition import partition_of
from services.vault.master import MasterKey
from services.wiring import open_network
from tests.benchmarks.appending import GAZETTEER, order
from tests.benchmarks.observing import observer, watch_projections, watch_topic
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

        owner = await asyncpg.connect(database.dsn("postgres"))
        sustained = await _flat_out(command, owner)
        print(f"sustained: {sustained:,.0f} commands a second; measured at half of it", flush=True)
        with (
            observer(watch_topic, database.servers.bootstrap, PARTITIONS) as topic,
            observer(watch_projections, database.dsn("postgres")) as projections,
        ):
            called = await _paced(command, sustained / 2)
            await _folded(owner, max(called))
            await asyncio.sleep(0.2)  # so that who looks has looked
            seen, done = topic.finish(), projections.finish()
        await owner.close()
        print(f"{len(called):,} commands; {MARKS}")
        _print("command → answered (in the ledger, synced)", [after - began for began, after in called.values()])
        _print("command → event on Kafka", [seen[each] - began for each, (began, _) in called.items()])
        projected = [
            done.when(each, partition_of(homes[each], PARTITIONS)) - began for each, (began, _) in called.items()
        ]
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
                zone=ZoneInfo("Africa/Bujumbura"),
                source=SOURCE,
            ) as network:
                phones = [f"+2577900{number:04}" for number in range(100)]
                yield network, [await network.desk.persons.person_by_phone(phone) for phone in phones]
                assert all(one.poll() is None for one in processes), log.read_text()[-2_000:]
        finally:
            end(processes)


async def _flat_out(command: Callable[[], Awaitable[int]], owner: asyncpg.Connection[asyncpg.Record]) -> float:
    """Commands a second that came all the way through, by callers that do not wait for that."""
    await _folded(owner, await command())  # the processes have begun
    began = time.perf_counter()
    positions = []

    async def repeat() -> None:
        while time.perf_counter() - began < FLAT_OUT_SECONDS:
            positions.append(await command())

    await asyncio.gather(*(repeat() for _ in range(CALLERS)))
    await _folded(owner, max(positions))
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


async def _folded(owner: asyncpg.Connection[asyncpg.Record], position: int) -> None:
    """Wait until every projection has all of the log up to a position, in whichever partition its events are."""
    async with asyncio.timeout(120):
        while not await owner.fetchval(FOLDED, position, len(LIVE)):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.05)


FOLDED = """
select (select acknowledged from relay.progress) >= $1 and not exists (
    select from relay.partition p
    left join (
        select partition, min(last_position) as folded, count(*) as places from projections.watermark group by partition
    ) w using (partition)
    where p.topic = 'events.v1' and p.last_position > 0
        and (w.places is distinct from $2 or w.folded < least(p.last_position, $1))
)
"""
"""A partition whose last record lies before the position is through when that one is."""


def _print(what: str, seconds: list[float]) -> None:
    seconds.sort()
    p50, p99 = (seconds[int(len(seconds) * share)] * 1e3 for share in (0.5, 0.99))
    print(f"{what}: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
