"""The projections' tables, read only, as the role intabaza_app.

Each read is one transaction that first says whose eyes it reads with: row-level security shows it the rows of those
units, or of that recipient's referrals, and no others, whatever the query asks for (services/processors/guarding).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeAlias

import asyncpg

from projections.alert_level.table import SQL as LEVELS
from projections.projection import Projection
from projections.sql import named_queries
from services.api.country import NOTHING, Sight
from services.api.problems import READS_AWAY, Refused
from services.api.together import Together
from services.database.lost import LOST
from services.database.pools import as_it_was
from services.past.asking import NotYet

ANSWER_SECONDS = 10.0
SQL = named_queries("services.api", "projections.sql")

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


class Projections:
    """Reads the live projections. A schema of each is on the search path, so that a swap goes unnoticed."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], names: Sequence[str]) -> None:
        self._pool = pool
        self.names = list(names)
        self.levels = Together[Sight, Mapping[str, asyncpg.Record]](self._levels)
        self._looking: asyncio.Task[Mapping[str, Mapping[int, int]]] | None = None

    @classmethod
    async def connect(cls, dsn: str, live: Sequence[Projection[Any, Any]], readers: int = 8) -> Projections:
        """Raises Refused where the database is away."""
        names = [one.name for one in live]
        settings = {"search_path": ",".join(names), "jit": "off", "application_name": "intabaza reads"}
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=readers,
                command_timeout=ANSWER_SECONDS,
                server_settings=settings,
                reset=as_it_was,
            )
        except LOST as error:
            raise _away(error) from None
        return cls(pool, names)

    async def close(self) -> None:
        self._pool.terminate()

    async def read(
        self, sight: Sight, query: str, *arguments: object, place: str | None = None
    ) -> list[asyncpg.Record]:
        """Rows of one query with these eyes, of what is live or of what stands in another place; raises Refused where
        the database does not answer."""
        async with self._seeing(sight, place) as connection:
            try:
                return await connection.fetch(query, *arguments)
            except asyncpg.UndefinedTableError:
                if place is None:
                    raise
                raise NotYet("what stood at this moment was dropped meanwhile: ask again") from None

    async def look(self, query: str, *arguments: object) -> Any:
        """One value, by a statement that may write what this role may; raises Refused."""
        try:
            return await self._pool.fetchval(query, *arguments)
        except LOST as error:
            raise _away(error) from None

    async def _levels(self, sight: Sight, units: Sequence[str]) -> Mapping[str, asyncpg.Record]:
        """Units as they stand, by their ids: what is asked most, so whoever asks at one moment asks together."""
        return {row["unit"]: row for row in await self.read(sight, LEVELS["now"], units)}

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows of what is nobody's in particular: watermarks, registers; raises Refused."""
        async with self._seeing(NOTHING) as connection:
            return await connection.fetch(query, *arguments)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Callable[..., Awaitable[list[asyncpg.Record]]]]:
        """Several queries of one moment, in a transaction that sees nothing yet: it says with whose eyes it reads."""
        async with self._seeing(NOTHING, at_one_moment=True) as connection:
            yield connection.fetch

    @asynccontextmanager
    async def _seeing(
        self, sight: Sight, place: str | None = None, *, at_one_moment: bool = False
    ) -> AsyncIterator[Connection]:
        try:
            async with self._pool.acquire() as connection:
                await connection.execute(_begin(sight, place, at_one_moment=at_one_moment))
                try:
                    yield connection
                finally:
                    await connection.execute("rollback")
        except LOST as error:
            raise _away(error) from None

    async def folded(self, *partitions: int) -> int:
        """Up to where every live projection has come in these partitions; callers at one moment share the look."""
        marks = await self.marks()
        return min(marks[name].get(partition, 0) for name in self.names for partition in partitions)

    async def refuse_unmade(self) -> None:
        """Raises Refused where a projection's tables have not been made yet, or nobody can be asked."""
        if unmade := [row["name"] for row in await self.fetch(SQL["unmade"], self.names)]:
            raise Refused(
                READS_AWAY, f"There is no {', '.join(unmade)} yet: the processors make it when they begin; start them."
            )

    async def marks(self) -> Mapping[str, Mapping[int, int]]:
        """How far each live projection has come in each partition."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> Mapping[str, Mapping[int, int]]:
        marks: dict[str, dict[int, int]] = {name: {} for name in self.names}
        for row in await self.fetch(SQL["marks"], self.names):
            marks[row["place"]][row["partition"]] = row["last_position"]
        return marks


@lru_cache(1_000)
def _begin(sight: Sight, place: str | None = None, *, at_one_moment: bool = False) -> str:
    """One round trip without parameters, since only the simple protocol takes two statements at once."""
    units = "*" if sight.units is None else ",".join(sorted(sight.units))
    said = {"units": units, "homes": ",".join(sorted(sight.homes)), "recipient": sight.recipient or ""}
    settings = [f"set_config('intabaza.{name}', {_quoted(value)}, true)" for name, value in said.items()]
    if place is not None:
        settings.append(f"set_config('search_path', {_quoted(place)}, true)")
    level = "isolation level repeatable read, " if at_one_moment else ""
    return f"begin {level}read only; select {', '.join(settings)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _away(error: Exception) -> Refused:
    return Refused(
        READS_AWAY, f"The projections cannot be read now ({type(error).__name__}).", headers={"Retry-After": "1"}
    )
