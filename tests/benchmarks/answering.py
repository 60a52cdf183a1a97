"""How long a command takes to reach Kafka and PostgreSQL's projections, at half of the load that all of it can sustain.

Ledger, relay and processors are the real processes, with every live projection. The load that can be sustained is what
came through to the projections while callers that wait for nothing sent as fast as they could.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
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
from tests.benchmarks.floor import HOW_FAR, TOPIC, Floor
from tests.benchmarks.growth.costs import ALL_OF_POSTGRES, Costs
from tests.benchmarks.observing import observer, watch_projections, watch_topic
from tests.benchmarks.processes import Process, end, start
from tests.benchmarks.servers import PARTITIONS, SOURCE, Database, Servers, servers
from tests.benchmarks.stamping import STAGES, Stamps

CALLERS = 32
FLAT_OUT_SECONDS = 10.0
PACED_SECONDS = 20.0
WARM_SECONDS = 3.0
STAMPED = (sys.executable, "-m", "tests.benchmarks.stamping")

MARKS = "aim 10 and 30 ms at the median, 150 ms at p99"


def compare(rate: float | None, rounds: int) -> None:
    """Find the load and halve it, or take this one; print how long each command took and what it cost, and in turns how
    long the least takes that has the same hops."""
    with servers() as running:
        asyncio.run(_compare(running, rate, rounds))


async def _compare(running: Servers, rate: float | None, rounds: int) -> None:
    async with (
        running.database() as database,
        _everything(database) as everything,
        Floor.running(database, everything.folder) as floor,
    ):
        owner = await asyncpg.connect(database.dsn("postgres"))
        await _folded(owner, await everything.command())  # the processes have begun
        await floor.folded(await floor.command())
        if rate is None:
            sustained = await _flat_out(everything.command, owner)
            print(f"sustained: {sustained:,.0f} commands a second; measured at half of it", flush=True)
            rate = sustained / 2
        else:
            await _paced(everything.command, rate, WARM_SECONDS)
        await _paced(floor.command, rate, WARM_SECONDS)
        print(MARKS)
        for _ in range(rounds):
            ours = await _ours(running, database, everything, owner, rate)
            least = await _least(running, database, floor, rate)
            shares = (one / other for one, other in zip(least, ours, strict=True))
            print(f"the least ÷ ours, p50: {', '.join(f'{share:.2f}' for share in shares)}", flush=True)
        await owner.close()


async def _ours(
    running: Servers,
    database: Database,
    everything: Everything,
    owner: asyncpg.Connection[asyncpg.Record],
    rate: float,
) -> tuple[float, ...]:
    costs, partitions = Costs(owner, everything.names(running)), everything.partitions
    with (
        observer(watch_topic, running.bootstrap, PARTITIONS) as topic,
        observer(watch_projections, database.dsn("postgres")) as projections,
    ):
        async with costs.watched() as used:
            called = await _paced(everything.command, rate, PACED_SECONDS)
            await _folded(owner, max(called))
        await asyncio.sleep(0.2)  # so that who looks has looked
        seen, done = topic.finish(), projections.finish()
    print(f"{len(called):,} commands, {rate:,.0f} a second, load {os.getloadavg()[0]:.0f}")
    told = _print_hops(called, seen, {each: done.when(each, partitions[each]) for each in called})
    _print_stages(called, everything.stamps(), partitions)
    print("  CPU, ms a command: " + ", ".join(f"{name} {used[name] / len(called) * 1e3:.2f}" for name in sorted(used)))
    return told


async def _least(running: Servers, database: Database, floor: Floor, rate: float) -> tuple[float, ...]:
    with (
        observer(watch_topic, running.bootstrap, PARTITIONS, TOPIC) as topic,
        observer(watch_projections, database.dsn("postgres"), HOW_FAR, 1) as rows,
    ):
        called = await _paced(floor.command, rate, PACED_SECONDS)
        await floor.folded(max(called))
        await asyncio.sleep(0.2)
        seen, done = topic.finish(), rows.finish()
    print("the least that has the same hops")
    return _print_hops(called, seen, {each: done.when(each, each % PARTITIONS) for each in called})


@dataclass(frozen=True)
class Everything:
    """What is asked, by whom, and the processes behind it."""

    network: Network
    people: list[UUID]
    units: list[str]
    processes: Mapping[str, Process]
    folder: Path
    partitions: dict[int, int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    async def command(self) -> int:
        """Have a report received; its position, of which the partition is remembered."""
        number = next(self._numbers)
        unit, person = self.units[number % 100], self.people[number % 100]
        accepted = await acts.receive(self.network, order(person, unit), person)
        position = accepted.placed[-1].position
        self.partitions[position] = partition_of(self.network.gazetteer.home_of(unit), PARTITIONS)
        return position

    def names(self, running: Servers) -> Mapping[int, str]:
        """Who is who, by the id of its process."""
        assert running.postgres.pid
        assert running.kafka.pid
        servers = {os.getpid(): "caller", running.postgres.pid: ALL_OF_POSTGRES, running.kafka.pid: "kafka"}
        return servers | {process.pid: name for name, process in self.processes.items()}

    def stamps(self) -> Stamps:
        """When each process was through with what."""
        return Stamps(self.folder / f"{name}.stamps" for name in self.processes)


@asynccontextmanager
async def _everything(database: Database) -> AsyncIterator[Everything]:
    gazetteer = read_gazetteer(GAZETTEER)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environment, log = database.environment(Path(folder)), Path(folder) / "log"
        processes = {
            name: start([*STAMPED, str(Path(folder) / f"{name}.stamps"), f"services.{name}"], log, environment)
            for name in ("relay", "processors")
        }
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
                people = [await network.desk.persons.person_by_phone(phone) for phone in phones]
                units = [unit.unit_id for unit in gazetteer.in_force()][:100]
                yield Everything(network, people, units, processes, Path(folder))
                assert all(one.poll() is None for one in processes.values()), log.read_text()[-2_000:]
        finally:
            end(list(processes.values()))


async def _flat_out(command: Callable[[], Awaitable[int]], owner: asyncpg.Connection[asyncpg.Record]) -> float:
    """Commands a second that came all the way through, by callers that do not wait for that."""
    began = time.perf_counter()
    positions = []

    async def repeat() -> None:
        while time.perf_counter() - began < FLAT_OUT_SECONDS:
            positions.append(await command())

    await asyncio.gather(*(repeat() for _ in range(CALLERS)))
    await _folded(owner, max(positions))
    return len(positions) / (time.perf_counter() - began)


async def _paced(command: Callable[[], Awaitable[int]], rate: float, seconds: float) -> dict[int, tuple[float, float]]:
    """When each position was asked for and answered, at so many commands a second, whoever is late."""
    called: dict[int, tuple[float, float]] = {}
    started = time.perf_counter()

    async def one() -> None:
        began = time.perf_counter()
        position = await command()
        called[position] = began, time.perf_counter()

    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * rate)):
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


def _print_stages(called: Mapping[int, tuple[float, float]], stamps: Stamps, partitions: Mapping[int, int]) -> None:
    """How long each stage took from the one before, at the median, and from the command on."""
    before = {each: after for each, (_, after) in called.items()}
    for stage in STAGES:
        done = {each: stamps.when(stage, each, partitions[each]) for each in called}
        took, since = ([done[each] - start[each] for each in called] for start in (before, _begins(called)))
        p50, whole = (sorted(one)[len(one) // 2] * 1e3 for one in (took, since))
        print(f"    … {stage}: {p50:.1f} ms, {whole:.1f} from the command on")
        before = done


def _begins(called: Mapping[int, tuple[float, float]]) -> Mapping[int, float]:
    return {each: began for each, (began, _) in called.items()}


def _print_hops(
    called: Mapping[int, tuple[float, float]], seen: Mapping[int, float], done: Mapping[int, float]
) -> tuple[float, ...]:
    """Print each hop since the command, and answer their medians."""
    return (
        _print("command → answered (in the ledger, synced)", [after - began for began, after in called.values()]),
        _print("command → event on Kafka", [seen[each] - began for each, (began, _) in called.items()]),
        _print("command → rows in PostgreSQL", [done[each] - began for each, (began, _) in called.items()]),
    )


def _print(what: str, seconds: list[float]) -> float:
    seconds.sort()
    p50, p99 = (seconds[int(len(seconds) * share)] * 1e3 for share in (0.5, 0.99))
    print(f"  {what}: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    return p50
