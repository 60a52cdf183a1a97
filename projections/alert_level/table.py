"""The level's rows in Postgres: cases, units, what is due, what was said, and the history of every unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from projections.alert_level.fold import Home
from projections.alert_level.home import EngineHome
from projections.alert_level.rows import case_of, lay_by, unit_of
from projections.alert_level.voice import Voice
from projections.projection import Connection, Page
from projections.rows import Writings
from projections.sql import named_queries

SQL = named_queries("projections.alert_level", "table.sql")

_WRITINGS = Writings(SQL)
_DIGESTS = ("cases", "units", "watch", "homes", "said", "history")
_DIGEST = tuple(SQL[f"digest_{name}"] for name in _DIGESTS)


class AlertLevelTable:
    """Every home of a partition is loaded at once; one that was parked, by itself."""

    definition = SQL["definition"]
    digests = _DIGEST

    async def load(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, Home]:
        return await self._load(connection, None, list(keys))

    async def load_partition(self, connection: Connection, partition: int) -> Mapping[str, Home]:
        return await self._load(connection, partition, None)

    async def _load(self, connection: Connection, *which: Any) -> Mapping[str, Home]:
        engines: dict[str, dict[int, EngineHome]] = {}

        def home_of(row: Any) -> EngineHome:
            of = engines.setdefault(row["home"], {})
            home = of.get(row["engine"])
            if home is None:
                home = of[row["engine"]] = EngineHome(row["home"])
            return home

        for row in await connection.fetch(SQL["load_units"], *which):
            home_of(row).units[row["unit"]] = unit_of(row)
        async with connection.transaction():
            cursor = await connection.cursor(SQL["load_cases"], *which)
            while rows := await cursor.fetch(1_000):  # together, since there are many in a long history
                for row in rows:
                    home = home_of(row)
                    if row["laid_by"]:
                        lay_by(home.laid_by, row["case_id"], row["unit"], row["body"])
                    else:
                        home.hold(case_of(row["case_id"], row["unit"], row["body"]))
        for home in (one for of in engines.values() for one in of.values()):
            home.ground.find(home.cases.values())
        for row in await connection.fetch(SQL["load_watch"], *which):
            home_of(row).watched.watch.hold(row["source"], row["body"])
        for row in await connection.fetch(SQL["load_homes"], *which):
            home = home_of(row)
            home.due = home.drawn_due = row["due"]
            home.due_day = row["due_day"]
        voices: dict[str, dict[str, Voice]] = {}
        for row in await connection.fetch(SQL["load_said"], *which):
            voice = Voice.of(row)
            voices.setdefault(row["home"], {})[voice.unit] = voice
        return {home: Home(home, dict(sorted(of.items())), voices.get(home)) for home, of in engines.items()}

    async def dues(self, connection: Connection, partition: int) -> Iterable[tuple[str, str]]:
        return [(row["due"], row["home"]) for row in await connection.fetch(SQL["load_dues"], partition)]

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        await _WRITINGS.write(connection, pages)
