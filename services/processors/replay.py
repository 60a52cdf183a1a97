"""What a projection is when it is folded again from Kafka, compared row by row with what is live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from projections.projection import Projection
from projections.rows import read_lines, sum_lines
from services.processors.errors import Halt
from services.processors.refold import SQL, Refolding, a_pool, clear_place, drop_place, ends, live_lines, refold

MOST_SHOWN = 20
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many rows there are and what they sum up to; `missing` are in the replay only, `surplus` are live only."""

    rows: int
    digest: str
    compared: bool = False
    missing: list[str] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)
    differing: int = 0


async def replay(
    dsn: str,
    bootstrap: str,
    topic: str,
    projection: Projection[Any, Any],
    processes: int,
    diff: bool,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Replayed:
    """Fold a projection from Kafka into a place of its own, sum it up, compare it where `diff`, and remove it again.

    The comparison is of one moment: it reads the live rows in a snapshot, and folds exactly up to its watermarks.
    """
    place = f"{projection.name}_replay"
    async with a_pool(dsn) as pool:
        await clear_place(pool, projection, place)
        try:
            lines = await live_lines(pool, projection) if diff else {}
            if diff and not lines:
                raise Halt(f"there is no live {projection.name} to compare with: start the processors first")
            places = {projection.name: place}
            refolding = Refolding(dsn, bootstrap, topic, (projection,), places, lines or ends(bootstrap, topic))
            await refold(refolding, processes, progress)
            if not diff:
                async with pool.acquire() as connection, connection.transaction():
                    return await _sum(connection, projection, place)
            async with pool.acquire() as live, live.transaction(isolation="repeatable_read"):
                lines = await live_lines(live, projection)
                await refold(replace(refolding, lines=lines), 1)
                return await _compare(pool, live, projection, place)
        finally:
            async with pool.acquire() as connection, connection.transaction():
                await drop_place(connection, place)


async def _sum(connection: Any, projection: Projection[Any, Any], place: str) -> Replayed:
    await connection.execute("select set_config('search_path', $1, true)", place)
    digest = sha256()
    rows = await sum_lines(connection, projection.table.digests, digest.update)
    return Replayed(rows, digest.hexdigest())


async def _compare(pool: Any, live: Any, projection: Projection[Any, Any], place: str) -> Replayed:
    """Both sides' rows into a temporary table, so that a long history needs no memory here."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(SQL["make_compared"])
        digest, rows = sha256(), 0
        for is_live, source, where in ((True, live, projection.name), (False, connection, place)):
            await source.execute("select set_config('search_path', $1, true)", where)
            chunk: list[tuple[bool, str]] = []
            async for row in read_lines(source, projection.table.digests):
                if not is_live:
                    digest.update(row.encode() + b"\n")
                    rows += 1
                chunk.append((is_live, row))
                if len(chunk) == CHUNK:
                    await _put(connection, chunk)
            await _put(connection, chunk)
        differing = await connection.fetch(SQL["differing"], MOST_SHOWN)
    return Replayed(
        rows,
        digest.hexdigest(),
        True,
        [row["line"] for row in differing if not row["live"]],
        [row["line"] for row in differing if row["live"]],
        differing[0]["many"] if differing else 0,
    )


async def _put(connection: Any, chunk: list[tuple[bool, str]]) -> None:
    if chunk:
        await connection.copy_records_to_table(
            "compared", records=chunk, columns=("live", "line"), schema_name="pg_temp"
        )
        chunk.clear()
