"""Places in which projections stand as of moments: folded from Kafka, from the nearest earlier one on, and kept.

A place is a snapshot for every later moment. Once a projection was asked about it comes to stand at round positions, so
that a question about last year reads neither what was before nor what came after. Each place is of one version and form
of its projection; the rule set in force is part of what was folded. All of them can be dropped at any time, and are
folded again.
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
from services.processors.places import Places
from services.processors.refold import (
    Refolding,
    a_pool,
    drop_place,
    fold_abreast,
    indexes,
    refold,
    to_the_end,
    together,
)
from services.processors.store import BeingCopied

SQL = named_queries("services.past", "standing.sql")

MOST_ON_THE_WAY = 64
"""Round positions that stand on the way from the log's beginning, however long it is."""

ROUND = 4_000
"""The least distance between two of them: folding so much takes a fifth of a second."""

STRIDE = 8
"""Of these every eighth is made for whoever asks first about a moment far from any, the others while nobody asks."""

MOST_RECENT = 12
"""Places of one projection that stay beside those, the ones asked for last."""

ALONE = 40_000
"""Events that one process folds sooner than others can be started."""

FETCH_BYTES = 512 * 1024
"""Of a partition at once: few events are folded in the middle of many, and what is read beyond them is in vain."""

SAMPLED = 10
"""A tenth of what a table's statistics rest on usually: a place is read by its indexes, and seldom."""

COPYING = 2
"""Tables of a place that are copied at once."""

CONNECTIONS = 5 + COPYING
"""One that lets nobody else fold, those that copy, the others for partitions that are folded abreast."""

Progress = Callable[[int, int], None]


class Fold(Protocol):
    """Folds a projection in a place up to a position, also while that place is being copied from another one."""

    async def __call__(
        self, projection: Projection[Any, Any], place: str, after: int, until: int, being_copied: BeingCopied | None
    ) -> None: ...


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


def stops(after: int, until: int, stride: int = 1) -> list[int]:
    """Round positions between two, without either: all, or each so manieth."""
    step = distance(until) * stride
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
            place = await self._pool.fetchval(SQL["stands"], *made_by(projection), position)
            if place is not None:
                return str(place)
            await self._sweep(projection)
            nearest = await self._pool.fetchrow(SQL["nearest"], *made_by(projection), position)
            for stop in stops(nearest["position"] if nearest else 0, position, STRIDE):
                await self._make(projection, stop)
                await self._sweep(projection)
            return await self._make(projection, position)

    async def go_on(self, projection: Projection[Any, Any], end: int) -> bool:
        """Let the first round position before the log's end stand that does not; False where all do or have no room."""
        async with self._alone():
            known = await self._pool.fetch(SQL["known"])
            there = {
                row["position"]
                for row in known
                if (row["projection"], row["version"], row["form"]) == made_by(projection)
            }
            missing = next((stop for stop in stops(0, end) if stop not in there), None)
            if missing is None or not await self._room():
                return False
            await self._make(projection, missing)
            return True

    async def _room(self) -> bool:
        """Whether one more place is kept, be it as large as the largest; else each that is made would cost another."""
        if self._most_bytes is None:
            return True
        sizes = [row["bytes"] for row in await self._pool.fetch(SQL["sizes"])]
        return bool(sum(sizes) + max(sizes, default=0) <= self._most_bytes)

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

    async def _make(self, projection: Projection[Any, Any], position: int) -> str:
        """Copy the nearest earlier place, and fold on from there: what a fold needs is read there meanwhile."""
        place = place_of(projection, position)
        nearest = await self._pool.fetchrow(SQL["nearest"], *made_by(projection), position)
        if nearest is None:
            await self._copy(projection, None, place)
            await self._fold(projection, place, 0, position, None)
        else:
            source, at = nearest
            copying = asyncio.create_task(self._copy(projection, source, place))
            try:
                await self._fold(projection, place, at, position, BeingCopied(place, source, copying))
                await copying  # nothing may have come after that place
            finally:
                copying.cancel()
                await asyncio.gather(copying, return_exceptions=True)
        await self._note(projection, place, position)
        return place

    async def _note(self, projection: Projection[Any, Any], place: str, position: int) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("select set_config('search_path', $1, true)", place)
            await connection.execute(f"set local default_statistics_target = {SAMPLED}")
            for table in await tables(connection, place):
                await connection.execute(f'analyze "{table}"')
            await connection.execute(SQL["note"], place, *made_by(projection), position)

    async def _copy(self, projection: Projection[Any, Any], source: str | None, place: str) -> None:
        """A new place with all that another one has, how far that had come last of all; an empty one without another.

        Indexes are made once the rows are there: to sort all of them costs less than to find each one's place.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(SQL["forget"], place)
            await drop_place(connection, place)
            await make_place(connection, projection, place)
            making: dict[str, list[str]] = {table: [] for table in await tables(connection, place)}
            if source is not None:
                for index in await indexes(connection, place, of_constraints=True):
                    await connection.execute(index.dropping)
                    making[index.table].append(index.making)
            for table in making:
                await connection.execute(f'alter table "{place}"."{table}" set unlogged')
        if source is None:
            return
        left = iter(making.items())

        async def copy() -> None:
            for table, made_last in left:
                async with self._pool.acquire() as connection, connection.transaction():
                    await connection.execute(_copying(source, place, table))
                    for statement in made_last:
                        await connection.execute(statement)

        await together([copy() for _ in range(COPYING)])
        async with self._pool.acquire() as connection, connection.transaction():
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


class FromKafka:
    """Folds by reading the topic: in this process, over connections that stay between two questions, where it is soon
    done, else in several."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        dsn: str,
        bootstrap: str,
        topic: str,
        processes: int,
        progress: Progress,
    ) -> None:
        self._pool = pool
        self._dsn, self._bootstrap, self._topic = dsn, bootstrap, topic
        self._processes = processes
        self._progress = progress
        self._reader: Places | None = None

    async def __call__(
        self, projection: Projection[Any, Any], place: str, after: int, until: int, being_copied: BeingCopied | None
    ) -> None:
        self._progress(after, until)
        try:
            if self._reader is None:
                self._reader = await asyncio.to_thread(Places, self._bootstrap, self._topic, FETCH_BYTES)
            lines = await asyncio.to_thread(to_the_end, self._reader)
            names = {projection.name: place}
            refolding = Refolding(self._dsn, self._bootstrap, self._topic, (projection,), names, lines, as_of=until)
            if until - after < ALONE:
                await fold_abreast(refolding, self._pool, self._reader, being_copied)
            else:
                if being_copied is not None:
                    await being_copied.done
                await refold(refolding, self._processes, lambda done, of: self._folded(after, done, until))
        except BaseException:
            self.close()
            raise
        self._progress(until, until)

    def _folded(self, after: int, done: int, until: int) -> None:
        self._progress(min(max(done, after), until), until)

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


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
    async with a_pool(dsn, CONNECTIONS) as pool:
        fold = FromKafka(pool, dsn, bootstrap, topic, processes, progress)
        try:
            yield Standing(pool, fold, most_bytes)
        finally:
            fold.close()
