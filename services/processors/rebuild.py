"""A projection is made anew from Kafka beside the live one, which goes on being read, and then takes its place.

The swap takes the live watermarks' locks and requires the new rows at or below them; the live worker then finds that
its watermark is another one, forgets what it has in memory and goes on from the new one's (design rule 10).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg

from projections.projection import Projection
from services.processors.errors import Halt
from services.processors.refold import SQL, Refolding, a_pool, clear_place, drop_place, ends, live_lines, refold


class NotSwapped(Halt):
    """The rebuilt rows cannot take the live ones' place."""


def shadow_of(projection: Projection[Any, Any]) -> str:
    """The schema in which a projection is rebuilt."""
    return f"{projection.name}_shadow"


async def rebuild(
    dsn: str,
    bootstrap: str,
    topic: str,
    projection: Projection[Any, Any],
    processes: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Fold everything that the live projection has (or that there is, where none is live), then swap.

    Raises Halt where the log is not whole; the live rows are untouched then.
    """
    shadow = shadow_of(projection)
    async with a_pool(dsn) as pool:
        await clear_place(pool, projection, shadow)
        lines = await live_lines(pool, projection) or ends(bootstrap, topic)
        await refold(Refolding(dsn, bootstrap, topic, projection, shadow, lines), processes, progress)
        # What came meanwhile is little; the less is left, the less the live worker folds again.
        if lines := await live_lines(pool, projection):
            await refold(Refolding(dsn, bootstrap, topic, projection, shadow, lines), 1)
        await swap(pool, projection)


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
