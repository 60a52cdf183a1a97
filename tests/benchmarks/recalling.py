"""What stood at moments spread over a long history, asked through the API: for the first time, again, and near by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from random import Random
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from projections import alert_level, case_timeline, review_queue
from projections.live import LIVE
from projections.projection import Projection
from services.local.topics import EVENTS
from services.past.standing import stops
from services.processors.making import make_places
from services.processors.refold import Refolding, a_pool, ends, refold
from tests.benchmarks.apis import PATIENCE_SECONDS, Api, api
from tests.benchmarks.servers import Database, Servers, servers
from tests.benchmarks.verifying import fill_ledger

MOMENTS = 10
AGAIN = 20
NEAR = 997
"""Events between a moment and another near by."""
PROCESSES = 2
AIM = "1 s after the first"

Took = dict[str, list[float]]


def compare(events: int) -> None:
    """So many events in the ledger, on Kafka and in the live timeline; the rest is folded for whoever asks."""
    with servers() as running:
        running.fill(events)
        asyncio.run(_compare(running, events))


async def _compare(running: Servers, events: int) -> None:
    async with running.database() as database:
        await fill_ledger(database, events)
        await _live_timeline(running, database)
        draw = Random(events)
        moments = [draw.randint(events * one // MOMENTS + 1, events * (one + 1) // MOMENTS) for one in range(MOMENTS)]
        draw.shuffle(moments)
        case = await _case_before(database, min(moments))
        paths: dict[str, tuple[str, Mapping[str, Any], Projection[Any, Any] | None]] = {
            "levels": ("/v1/levels", {"limit": 200}, alert_level.PROJECTION),
            "queue": ("/v1/queue", {"role": "reviewer", "limit": 200}, review_queue.PROJECTION),
            "timeline": (f"/v1/{case}/timeline", {"limit": 200}, None),
        }
        async with api(database) as asked:
            table = _table(events)
            before = asked.resident()[0]
            for name, (path, params, folded) in paths.items():
                throughout = partial(_throughout, database, folded, events)
                took = await _ask(asked, path, params, moments, events, throughout)
                for what, seconds in took.items():
                    ordered = sorted(seconds)
                    p50, most = ordered[len(ordered) // 2] * 1e3, ordered[-1] * 1e3
                    table.add_row(name, what, str(len(ordered)), f"{p50:,.1f}", f"{most:,.1f}")
                ours, beside = (size / 2**20 for size in asked.resident())
                print(
                    f"{name}: the API holds {ours:,.0f} MiB ({before / 2**20:,.0f} at first), beside it {beside:,.0f}"
                )
    Console(width=120).print(table)


def _table(events: int) -> Table:
    title = f"{events:,} events, {MOMENTS} moments; aim {AIM}"
    return Table("question", "moment", "asked", "p50 ms", "max ms", title=title)


async def _ask(
    asked: Api,
    path: str,
    params: Mapping[str, Any],
    moments: list[int],
    events: int,
    throughout: Callable[[], Awaitable[float]],
) -> Took:
    """One kind of question at every moment; after the first one what is made beforehand is waited for."""

    async def once(position: int) -> float:
        began = time.perf_counter()
        await asked.ask(path, {**params, "as_of": position})
        return time.perf_counter() - began

    async def timed(what: str, positions: list[int]) -> list[float]:
        seconds = [await once(position) for position in positions]
        print(f"{path} {what}: {', '.join(f'{one:.2f}' for one in seconds[:MOMENTS])} s", flush=True)
        return seconds

    first, *others = moments
    near: Callable[[int], int] = lambda one: one + NEAR if one + NEAR <= events else one - NEAR  # noqa: E731
    return {
        "the first one": await timed("at first", [first]),
        "then, until it stands throughout": [await throughout()],
        "the same again": await timed("again", [first] * AGAIN),
        "others, for the first time": await timed("at other moments", others),
        "these again, in turns": await timed("at these again", moments * AGAIN),
        f"{NEAR} events beside them": await timed("near by", [near(one) for one in moments]),
    }


async def _throughout(database: Database, projection: Projection[Any, Any] | None, events: int) -> float:
    """Wait until a projection stands at every round position up to the end; returns how many seconds that took."""
    began = time.perf_counter()
    if projection is None:
        return 0.0
    stand = "select count(*) from projections.past where projection = $1 and position = any ($2)"
    connection = await asyncpg.connect(database.dsn("postgres"))
    try:
        wanted = stops(0, events)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await connection.fetchval(stand, projection.name, wanted) < len(wanted):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
    finally:
        await connection.close()
    return time.perf_counter() - began


async def _live_timeline(running: Servers, database: Database) -> None:
    """A timeline is asked live, of a moment too; it is folded as a processor would have by now."""
    name = case_timeline.PROJECTION.name
    async with a_pool(database.projector_dsn) as pool:
        await make_places(pool, LIVE)
    lines = await asyncio.to_thread(ends, running.bootstrap, EVENTS)
    only = Refolding(
        database.projector_dsn, running.bootstrap, EVENTS, (case_timeline.PROJECTION,), {name: name}, lines
    )
    await refold(only, PROCESSES)


async def _case_before(database: Database, position: int) -> str:
    connection = await asyncpg.connect(database.dsn("postgres"))
    try:
        stream = await connection.fetchval(
            "select stream from ledger.event where type = 'case.opened' and position < $1 order by position limit 1",
            position,
        )
        assert stream, "no case was opened before the first moment"
        return str(stream).replace("case/", "cases/")
    finally:
        await connection.close()
