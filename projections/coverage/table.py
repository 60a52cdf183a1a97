"""Coverage in Postgres: units and channels upserted, with what was told of them; who watches, and when a home turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from projections.coverage.home import Home, Unit, Watching
from projections.projection import Connection, Page
from projections.rows import Writings
from projections.sql import named_queries
from projections.watching import BY_REASON

SQL = named_queries("projections.coverage", "table.sql")
_WRITINGS = Writings(SQL)


class CoverageTable:
    """Every home of a partition is loaded at once; one that was parked, by itself."""

    definition = SQL["definition"]
    digests = (SQL["digest_units"], SQL["digest_channels"], SQL["digest_sources"], SQL["digest_homes"])

    async def load(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, Home]:
        return await self._load(connection, None, list(keys))

    async def load_partition(self, connection: Connection, partition: int) -> Mapping[str, Home]:
        return await self._load(connection, partition, None)

    async def _load(self, connection: Connection, *which: Any) -> Mapping[str, Home]:
        homes: dict[str, Home] = {}

        def home_of(row: Any) -> Home:
            return homes.setdefault(row["home"], Home(row["home"]))

        for row in await connection.fetch(SQL["load_units"], *which):
            home_of(row).units[row["unit"]] = Unit(
                row["unit"],
                _watching(row),
                BY_REASON[row["confidence_reason"]],
                row["reporters"],
                row["silent"],
                row["next_due"],
            )
        for row in await connection.fetch(SQL["load_channels"], *which):
            home_of(row).units[row["unit"]].channels[row["channel"]] = _watching(row)
        for row in await connection.fetch(SQL["load_sources"], *which):
            home_of(row).watched.watch.hold(row["source"], row["body"])
        for row in await connection.fetch(SQL["load_homes"], *which):
            home = home_of(row)
            home.due = home.drawn_due = row["due"]
            home.due_day = row["due_day"]
        return homes

    async def dues(self, connection: Connection, partition: int) -> Iterable[tuple[str, str]]:
        return [(row["due"], row["home"]) for row in await connection.fetch(SQL["dues"], partition)]

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        await _WRITINGS.write(connection, pages)


def _watching(row: Any) -> Watching:
    last = row["last_sign"]
    return Watching(
        row["state"],
        date.fromisoformat(row["since"]).toordinal(),
        None if last is None else date.fromisoformat(last).toordinal(),
        row["told_lost"],
        row["told"],
    )
