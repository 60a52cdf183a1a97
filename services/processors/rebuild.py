"""Projections are made anew from Kafka beside the live ones, which go on being read, and then take their place.

The swap takes the live watermarks' locks and requires the new rows at or below them; the live worker then finds that
its watermark is another one, forgets what it has in memory and goes on from the new one's (design rule 10).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from projections.projection import Projection
from services.database.lost import LOST
from services.processors.errors import Halt
from services.processors.refold import (
    SQL,
    Line,
    Refolding,
    a_pool,
    clear_place,
    copied_bare,
    drop_place,
    ends,
    lines_to_rebuild,
    refold,
)

CONNECTIONS = 4
"""One that lets nobody else rebuild, and those that the work is done with."""


class NotSwapped(Halt):
    """The rebuilt rows cannot take the live ones' place."""


def shadow_of(projection: Projection[Any, Any]) -> str:
    """The schema in which a projection is rebuilt."""
    return f"{projection.name}_shadow"


async def rebuild(
    dsn: str,
    bootstrap: str,
    topic: str,
    projections: Sequence[Projection[Any, Any]],
    processes: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Fold everything that the live projections have (or that there is, where one is not live), then swap each.

    All in one reading of the log. Where keys wait, their partition goes back to before the first of them, and a worker
    folds and says the rest. Raises Halt where the log is not whole, or where somebody else rebuilds; the live rows are
    untouched then.
    """
    async with a_pool(dsn, CONNECTIONS) as pool, _alone(pool):
        for one in projections:
            await clear_place(pool, one, shadow_of(one))
        try:
            lines = dict.fromkeys((one.name for one in projections), ends(bootstrap, topic))
            lines |= await lines_to_rebuild(pool, projections)
            async with copied_bare(pool, projections, {one.name: shadow_of(one) for one in projections}):
                for refolding in _together(dsn, bootstrap, topic, projections, lines):
                    await refold(refolding, processes, progress)
            # What came meanwhile is little; the less is left, the less the live worker folds again.
            for refolding in _together(dsn, bootstrap, topic, projections, await lines_to_rebuild(pool, projections)):
                await refold(refolding, 1)
        except BaseException as error:
            await _give_up(pool, projections)
            if isinstance(error, Halt):
                raise Halt(f"{error}. Nothing was swapped in: the live rows are as they were") from error
            raise
        for one in projections:
            await swap(pool, one)


@asynccontextmanager
async def _alone(pool: asyncpg.Pool[asyncpg.Record]) -> AsyncIterator[None]:
    """One at a time: two would take each other's shadows away, and swap in what is empty."""
    async with pool.acquire() as connection:
        if not await connection.fetchval(SQL["rebuild_alone"]):
            raise Halt("somebody else rebuilds at this time: wait until that is done, then run it again")
        try:
            yield
        finally:
            await connection.execute(SQL["rebuilt"])


async def _give_up(pool: asyncpg.Pool[asyncpg.Record], projections: Sequence[Projection[Any, Any]]) -> None:
    """Half of a rebuilding is of use to nobody; where it cannot be removed now, the next rebuild removes it."""
    with suppress(*LOST):
        async with pool.acquire() as connection, connection.transaction():
            for one in projections:
                await drop_place(connection, shadow_of(one))


def _together(
    dsn: str,
    bootstrap: str,
    topic: str,
    projections: Sequence[Projection[Any, Any]],
    lines: Mapping[str, Mapping[int, Line]],
) -> list[Refolding]:
    """Projections that have come equally far are folded together: a worker commits all of its projections at once."""
    together: list[tuple[list[Projection[Any, Any]], Mapping[int, Line]]] = []
    for one in projections:
        for others, those in together:
            if those == lines.get(one.name):
                others.append(one)
                break
        else:
            if one.name in lines:
                together.append(([one], lines[one.name]))
    return [
        Refolding(dsn, bootstrap, topic, tuple(those), {one.name: shadow_of(one) for one in those}, upto)
        for those, upto in together
    ]


async def swap(pool: asyncpg.Pool[asyncpg.Record], projection: Projection[Any, Any]) -> None:
    """Let the shadow be live, in one transaction. Raises NotSwapped where it is above the live one somewhere."""
    live, shadow = projection.name, shadow_of(projection)
    async with pool.acquire() as connection, connection.transaction():
        held = {
            (row["place"], row["partition"]): row["last_position"]
            for row in await connection.fetch(SQL["hold_marks"], [live, shadow])
        }
        for (place, partition), position in held.items():
            if place == shadow and position > held.get((live, partition), position):
                raise NotSwapped(
                    f"partition {partition} of the rebuilt {live} is at position {position}, above the live one's "
                    f"{held[live, partition]}: let the workers catch up, then rebuild again"
                )
        old = f"{live}_old"
        if await connection.fetchval("select to_regnamespace($1) is not null", live):
            await connection.execute(f'alter schema "{live}" rename to "{old}"')
        await connection.execute(f'alter schema "{shadow}" rename to "{live}"')
        await drop_place(connection, old)
        for table in ("watermarks", "shared", "parked"):
            await connection.execute(SQL[f"forget_{table}"], live)
            await connection.execute(SQL[f"move_{table}"], live, shadow)
