"""Places in which projections stand as of moments: folded from Kafka, from the nearest earlier one on, and kept.

A place is a snapshot for every later moment. On a long way some are left behind at round positions, so that a question
about last year reads neither what was before nor what came after. Each is of one version and form of its projection;
the rule set in force is part of what was folded. All of them can be dropped at any time, and are folded again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import asyncpg

from projections.projection import Connection, Projection
from projections.sql import named_queries
from services.processors.making import make_place
from services.processors.places import FETCH_BYTES
from services.processors.refold import Refolding, a_pool, drop_place, ends, fold_partitions, refold

SQL = named_queries("services.past", "standing.sql")

MOST_ON_THE_WAY = 8
"""Round positions that are left behind on the way from the log's beginning, however long it is."""

ROUND = 50_000
"""The least distance between two of them: folding so much takes a few seconds."""

MOST_RECENT = 12
"""Places of one projection that stay beside those, the ones asked for last."""

ALONE = 40_000
"""Events that one process folds sooner than others can be started."""

BYTES_AN_EVENT, LEAST_FETCH_BYTES = 100, 256 * 1024
"""Of each partition at once, where few events are folded in the middle of many: what is read beyond them is in vain. An
event is about a kilobyte, in one of a dozen partitions."""

Progress = Callable[[int, int], None]


class Fold(Protocol):
    """Folds a projection in a place up to a position."""

    async def __call__(self, projection: Projection[Any, Any], place: str, after: int, until: int) -> None: ...


def place_of(projection: Projection[Any, Any], position: int) -> str:
    """The schema of a projection as of a position."""
    return f"past_{projection.name}_{position}"


def made_by(projection: Projection[Any, Any]) -> tuple[str, int, int]:
    """Of what a place must be made to be read: the projection, its version, the form of its rows."""
    return projection.name, projection.version, projection.form


def distance(position: int) -> int:
    """How far round positions lie apart on the way to a position."""
    found = ROUND
    while position // found > MOST_ON_THE_WAY:
        found *= 2
    return found


def stops(after: int, until: int) -> list[int]:
    """Round positions between two, without either."""
    step = distance(until)
    return list(range((after // step + 1) * step, until, step))


def surplus(positions: Iterable[int], last: int) -> list[int]:
    """Which of a projection's places go, given with those first that were asked for last."""
    step, recent = distance(last), 0
    going = []
    for position in positions:
        if position % step == 0 and position <= last:
            continue
        recent += 1
        if recent > MOST_RECENT:
            going.append(position)
    return going


def beyond(places: Iterable[str], bytes_of: Mapping[str, int], most_bytes: int) -> list[str]:
    """Which places go because all together are too large, given with those first that were asked for last."""
    total, going = 0, []
    for place in places:
        total += bytes_of.get(place, 0)
        if total > most_bytes:
            going.append(place)
    return going


class Standing:
    """Makes places stand, one at a time; `most_bytes` is what they may take on the disk, None without a limit."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], fold: Fold, most_bytes: int | None = None) -> None:
        self._pool = pool
        self._fold = fold
        self._most_bytes = most_bytes

    async def stand(self, projection: Projection[Any, Any], position: int) -> str:
        """Let a projection stand as of a position that is on Kafka; returns its place."""
        async with self._alone():
            place = place_of(projection, position)
            if await self._pool.fetchval(SQL["stands"], *made_by(projection), position):
                return place
            await self._sweep(projection)
            at = await self._begin(projection, place, position)
            for stop in stops(at, position):
                await self._fold(projection, place, at, stop)
                await self._leave_behind(projection, place, stop)
                at = stop
            await self._fold(projection, place, at, position)
            await self._note(projection, place, position)
            return place

    async def forget(self) -> int:
        """Drop all places; returns how many."""
        async with self._alone():
            places = [row["place"] for row in await self._pool.fetch(SQL["schemas"])]
            for place in places:
                await self._drop(place)
            return len(places)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with self._pool.acquire() as connection:
            await connection.execute(SQL["one_at_a_time"])
            try:
                yield
            finally:
                await connection.execute(SQL["one_at_a_time_no_more"])

    async def _begin(self, projection: Projection[Any, Any], place: str, position: int) -> int:
        """Put into a new place what the nearest earlier one has; returns how far that is."""
        nearest = await self._pool.fetchrow(SQL["nearest"], *made_by(projection), position)
        source, at = (None, 0) if nearest is None else nearest
        await self._copy(projection, source, place)
        return at

    async def _leave_behind(self, projection: Projection[Any, Any], place: str, stop: int) -> None:
        left = place_of(projection, stop)
        await self._copy(projection, place, left)
        await self._note(projection, left, stop)

    async def _note(self, projection: Projection[Any, Any], place: str, position: int) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("select set_config('search_path', $1, true)", place)
            for table in await tables(connection, place):
                await connection.execute(f'analyze "{table}"')
            await connection.execute(SQL["note"], place, *made_by(projection), position)

    async def _copy(self, projection: Projection[Any, Any], source: str | None, place: str) -> None:
        """A new place with all that another one has, in one transaction; an empty one without another."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(SQL["forget"], place)
            await drop_place(connection, place)
            await make_place(connection, projection, place)
            made = await tables(connection, place)
            for table in made:
                await connection.execute(f'alter table "{place}"."{table}" set unlogged')
            if source is None:
                return
            for table in made:
                await connection.execute(_copying(source, place, table))
            for what in ("watermarks", "shared", "parked"):
                await connection.execute(SQL[f"copy_{what}"], source, place)

    async def _sweep(self, projection: Projection[Any, Any]) -> None:
        """Drop what nobody needs: half made, of another version, or asked for too long ago."""
        known = await self._pool.fetch(SQL["known"])
        mine = [row for row in known if row["projection"] == projection.name]
        whole = {row["place"] for row in known}
        going = {row["place"] for row in await self._pool.fetch(SQL["schemas"])} - whole
        going |= {
            row["place"] for row in mine if (row["version"], row["form"]) != (projection.version, projection.form)
        }
        positions = [row["position"] for row in mine if row["place"] not in going]
        going |= {place_of(projection, position) for position in surplus(positions, max(positions, default=0))}
        if self._most_bytes is not None:
            # The ledger stands on the same disk, and takes nothing any more once that is full.
            bytes_of = {row["place"]: row["bytes"] for row in await self._pool.fetch(SQL["sizes"])}
            staying = [row["place"] for row in known if row["place"] not in going]
            going |= {*beyond(staying, bytes_of, self._most_bytes)}
        for place in sorted(going):
            await self._drop(place)

    async def _drop(self, place: str) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(SQL["forget"], place)
            await drop_place(connection, place)


def _copying(source: str, place: str, table: str) -> str:
    return f'insert into "{place}"."{table}" select * from "{source}"."{table}"'  # noqa: S608 - names of our own


async def tables(connection: Connection, place: str) -> Sequence[str]:
    """The names of a place's tables."""
    return [row["name"] for row in await connection.fetch(SQL["tables"], place)]


def from_kafka(dsn: str, bootstrap: str, topic: str, processes: int, progress: Progress) -> Fold:
    """Folds by reading the topic, in this process where it is soon done, else in several."""

    async def fold(projection: Projection[Any, Any], place: str, after: int, until: int) -> None:
        progress(after, until)
        lines = await asyncio.to_thread(ends, bootstrap, topic)
        refolding = Refolding(dsn, bootstrap, topic, (projection,), {projection.name: place}, lines, as_of=until)
        if until - after < ALONE:
            near = max(LEAST_FETCH_BYTES, (until - after) * BYTES_AN_EVENT)
            await fold_partitions(refolding, min(near, FETCH_BYTES))
        else:
            await refold(refolding, processes, lambda done, of: progress(min(max(done, after), until), until))
        progress(until, until)

    return fold


@asynccontextmanager
async def standing(
    dsn: str,
    bootstrap: str,
    topic: str,
    processes: int,
    progress: Progress = lambda done, of: None,
    most_bytes: int | None = None,
) -> AsyncIterator[Standing]:
    """On a database, as the role intabaza_projector, and a topic."""
    async with a_pool(dsn) as pool:
        yield Standing(pool, from_kafka(dsn, bootstrap, topic, processes, progress), most_bytes)
