"""What projections are when they are folded again from Kafka, to the end or as of a moment, beside what is live."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, NamedTuple

import asyncpg

from projections.projection import Projection
from projections.rows import PREFETCH, read_lines, sum_lines
from projections.sql import named_queries
from services.moments import Moment
from services.processors.as_of import Found
from services.processors.errors import Halt
from services.processors.refold import (
    SQL,
    Refolding,
    a_pool,
    clear_place,
    copied_bare,
    drop_place,
    ends,
    live_lines,
    refold,
)

SHOWN = named_queries("services.processors", "shown.sql")
MOST_SHOWN = 20
CHUNK = 5_000


class Column(NamedTuple):
    """A column that a person reads, and the name of its type in the database."""

    name: str
    type: str


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
            async with copied_bare(pool, [projection], places):
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


@dataclass(frozen=True)
class Past:
    """Projections as they were at a moment, standing in places of their own until they are let go."""

    moment: Moment
    _pool: asyncpg.Pool[asyncpg.Record]
    _places: Mapping[str, str]

    async def sum(self, projection: Projection[Any, Any]) -> Replayed:
        """How many rows there were, and what they sum up to."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await _sum(connection, projection, self._places[projection.name])

    async def compare(self, projection: Projection[Any, Any]) -> tuple[Replayed, int]:
        """The same beside the live rows of now, and the highest position that those have taken. Raises Halt."""
        async with self._pool.acquire() as live, live.transaction(isolation="repeatable_read"):
            lines = await live_lines(live, projection)
            if not lines:
                raise _not_live(projection)
            result = await _compare(self._pool, live, projection, self._places[projection.name])
            return result, max(line.position for line in lines.values())

    @asynccontextmanager
    async def rows(
        self, projection: Projection[Any, Any]
    ) -> AsyncIterator[tuple[Sequence[Column], AsyncIterator[Sequence[Any]]]]:
        """The columns that a person reads of it, and its rows as they come."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("select set_config('search_path', $1, true)", self._places[projection.name])
            prepared = await connection.prepare(SHOWN[projection.name])
            yield [Column(one.name, one.type.name) for one in prepared.get_attributes()], _values(prepared)


async def _values(prepared: Any) -> AsyncIterator[Sequence[Any]]:
    async for row in prepared.cursor(prefetch=PREFETCH):
        yield tuple(row)


@asynccontextmanager
async def replay_as_of(
    dsn: str,
    bootstrap: str,
    topic: str,
    projections: Sequence[Projection[Any, Any]],
    processes: int,
    found: Found,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> AsyncIterator[Past]:
    """Fold projections from Kafka up to a moment and no further, in one reading, into places that go in the end."""
    places = {one.name: f"{one.name}_replay" for one in projections}
    async with a_pool(dsn) as pool:
        try:
            for one in projections:
                await clear_place(pool, one, places[one.name])
            refolding = Refolding(
                dsn, bootstrap, topic, tuple(projections), places, found.lines, as_of=found.moment.position
            )
            async with copied_bare(pool, projections, places):
                await refold(refolding, processes, progress)
            yield Past(found.moment, pool, places)
        finally:
            for place in places.values():
                async with pool.acquire() as connection, connection.transaction():
                    await drop_place(connection, place)


def _not_live(projection: Projection[Any, Any]) -> Halt:
    return Halt(f"there is no live {projection.name} to compare with: start the processors first")


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
