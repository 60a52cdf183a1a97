"""A live projection: the same events folded into the same tables by us and by others, in turns, in one run."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from kafka import KafkaAdminClient
from rich.console import Console
from rich.table import Table

from projections.live import LIVE
from services.local_problem import LocalProblem
from tests.benchmarks.peers.installed import NotInstalled, peers_python
from tests.benchmarks.processes import Process, end, start
from tests.benchmarks.servers import Database, Servers
from tests.benchmarks.streams.program import NoJdk, Program, committed, compiled, forget
from tests.benchmarks.watching import Figure, Stalled, spread, watch

PROGRESS = """
select coalesce(min(done), 0)::bigint
from (select sum(next_offset) as done from projections.watermark where place = any ($1) group by place) as places
"""

OURS = "our worker"


@dataclass
class Contender:
    """Somebody who folds the topic once, in a new database, and how that went each time."""

    name: str
    run: Callable[[Servers, int], Awaitable[Figure]]
    figures: list[Figure] = field(default_factory=list)


async def project(servers: Servers, names: Sequence[str], rounds: int, only: Sequence[str] = ()) -> None:
    """Fold what is on the topic with every contender, in turns, and print the table."""
    records = servers.records()
    with tempfile.TemporaryDirectory() as scratch:
        contenders, missing = find_contenders(Path(scratch), names)
        for number in range(rounds):
            for one in contenders:
                if only and not any(word in one.name for word in only):
                    continue
                try:
                    figure = await one.run(servers, records)
                except Stalled as stalled:
                    missing.append(f"{one.name} {stalled}")
                    print(missing[-1], flush=True)
                    continue
                one.figures.append(figure)
                print(f"round {number + 1}: {one.name}: {figure.rate:,.0f} a second", flush=True)
    table = Table(
        "what", "records/s", "client CPU µs", "resident MB", "our rate ÷ this", "this CPU ÷ ours",
        title=f"{records:,} records folded into {' and '.join(names)}, {rounds} rounds",
    )  # fmt: skip
    ours = next((one.figures for one in contenders if one.name == OURS), [])
    for one in contenders:
        if one.figures:
            ratios = [mine.rate / theirs.rate for mine, theirs in zip(ours, one.figures, strict=False)]
            costs = [theirs.cpu_us / mine.cpu_us for mine, theirs in zip(ours, one.figures, strict=False)]
            table.add_row(
                one.name,
                spread([each.rate for each in one.figures], 0),
                spread([each.cpu_us for each in one.figures], 1),
                f"{max(each.megabytes for each in one.figures):,.0f}",
                spread(ratios) if ratios else "",
                spread(costs) if costs else "",
            )
    Console(width=150).print(table)
    print("\n".join(missing))


def find_contenders(scratch: Path, names: Sequence[str]) -> tuple[list[Contender], list[str]]:
    """Who can run here, and a sentence for each who cannot."""
    missing = []
    contenders = [
        Contender(OURS, lambda servers, records: run_ours(servers, records, names, 1)),
        Contender("our worker, two processes", lambda servers, records: run_ours(servers, records, names, 2)),
        Contender("stock Faust agent", peer("stock_faust", sys.executable, names)),
    ]
    try:
        program = compiled(scratch)
        for threads in (1, 2):
            contenders.append(Contender(f"Kafka Streams, {threads} threads", streams(program, threads)))
    except (NoJdk, LocalProblem) as reason:
        missing.append(str(reason))
    try:
        python = str(peers_python())
        contenders.append(Contender("Quix Streams, sink of its own", peer("quix", python, names)))
        contenders.append(Contender("Bytewax, batched partition", peer("bytewax_flow", python, names)))
    except NotInstalled as reason:
        missing.append(f"Quix Streams and Bytewax were left out: they cannot be installed here ({reason}).")
    return contenders, missing


async def run_ours(servers: Servers, records: int, names: Sequence[str], processes: int) -> Figure:
    """`python -m services.processors`, once or twice, until everything is committed."""
    async with servers.database() as database:
        with tempfile.TemporaryDirectory(prefix="ours-") as folder:
            log = Path(folder) / "log"
            environment = database.environment(Path(folder))
            command = [sys.executable, "-m", "tests.benchmarks.ours", *names]
            workers = [
                start(command, log, environment | {"INTABAZA_PROCESSOR_MEMBER": f"bench-{number}"})
                for number in range(processes)
            ]
            return await _followed(database, workers, names, records, log)


def peer(module: str, python: str, names: Sequence[str]) -> Callable[[Servers, int], Awaitable[Figure]]:
    """A peer in Python, as a process."""

    async def run(servers: Servers, records: int) -> Figure:
        async with servers.database() as database:
            with tempfile.TemporaryDirectory(prefix="peer-") as folder:
                log = Path(folder) / "log"
                dsn = database.projector_dsn
                command = [
                    python,
                    "-m",
                    f"tests.benchmarks.peers.{module}",
                    servers.bootstrap,
                    dsn,
                    str(records),
                    *names,
                ]
                return await _followed(database, [start(command, log)], names, records, log)

    return run


async def _followed(
    database: Database, processes: Sequence[Process], names: Sequence[str], records: int, log: Path
) -> Figure:
    connection = await asyncpg.connect(database.dsn("postgres"))
    try:

        async def progress() -> int:
            return int(await connection.fetchval(PROGRESS, list(names)))

        figure = await watch([one.pid for one in processes], progress, records, log)
        rows = await connection.fetchval("select count(*) from case_timeline.case_timeline_event")
        assert rows, "no row was written"
        return figure
    finally:
        await connection.close()
        end(processes)


def streams(program: Program, threads: int) -> Callable[[Servers, int], Awaitable[Figure]]:
    """Kafka Streams under an application id of its own; its state goes with it."""

    async def run(servers: Servers, records: int) -> Figure:
        with tempfile.TemporaryDirectory(prefix="streams-") as folder:
            group = f"streams-{Path(folder).name[8:].replace('_', '-')}"
            log = Path(folder) / "log"
            admin = KafkaAdminClient(bootstrap_servers=servers.bootstrap)
            command = program.command(servers.bootstrap, group, Path(folder) / "state", threads)
            process = start(command, log)
            try:

                async def progress() -> int:
                    return await asyncio.to_thread(committed, admin, group)

                return await watch([process.pid], progress, records, log)
            finally:
                end([process])
                forget(admin, group)
                admin.close()

    return run


def live_names() -> list[str]:
    """The projections of this release that the figure is about, as far as they are there."""
    return [one.name for one in LIVE if one.name in ("case_timeline", "alert_level")]
