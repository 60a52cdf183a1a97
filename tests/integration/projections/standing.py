"""A projection's tables standing in a database, fed with a log and asked by their named queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import asyncpg

from projections.part import Part
from projections.projection import Connection, Projection
from tests.support.written import Written


class Standing:
    """Tables of one projection, and its part: `keep` folds what a log says beyond what was kept."""

    def __init__(self, connection: Connection, projection: Projection[Any, Any], queries: Mapping[str, str]) -> None:
        self.connection = connection
        self._table = projection.table
        self._part: Part[Any, Any] = Part(projection.fold)
        self._queries = queries
        self._kept = 0

    async def make(self) -> None:
        await self.connection.execute(self._table.definition)

    async def keep(self, log: Written) -> None:
        events = log.events[self._kept :]
        wanted = self._part.wants(events)
        self._part.hold(wanted, await self._table.load(self.connection, wanted))
        page, changed = self._part.take(events)
        async with self.connection.transaction():
            await self._table.write(self.connection, {0: page})
        self._part.let_go(changed)
        self._kept = len(log.events)

    async def ask(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.connection.fetch(self._queries[query], *arguments)
        return rows

    async def pages(
        self, ask: Callable[..., tuple[Any, ...]], query: str, after: Callable[[asyncpg.Record], tuple[Any, ...]]
    ) -> list[asyncpg.Record]:
        """Every row of a paged query, page after page: `ask(*after)` makes its arguments, `ask()` the first page's."""
        rows: list[asyncpg.Record] = []
        while page := await self.ask(query, *ask(*(after(rows[-1]) if rows else ()))):
            rows += page
        return rows

    async def plan(self, query: str, *arguments: Any) -> str:
        """How Postgres would answer, after it has looked at the tables."""
        await self.connection.execute("analyze")
        explained = await self.connection.fetch(f"explain {self._queries[query]}", *arguments)
        return "\n".join(row[0] for row in explained)


class Stand(Protocol):
    """Makes the tables of a projection stand: `await stand(PROJECTION, SQL)`."""

    async def __call__(self, projection: Projection[Any, Any], queries: Mapping[str, str]) -> Standing: ...
