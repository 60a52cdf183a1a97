"""Silences in Postgres: one row each, which gets its end when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from events.alert import AlertSilenced
from projections.projection import Connection, Page
from projections.rows import Writings
from projections.silences.fold import OfUnit, Standing
from projections.sql import named_queries

SQL = named_queries("projections.silences", "table.sql")
_WRITINGS = Writings(SQL)


class SilenceTable:
    """The state of a unit is its rows without an end."""

    definition = SQL["definition"]
    digests = (SQL["digest"],)

    async def load(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, OfUnit]:
        units: dict[str, OfUnit] = {}
        for row in await connection.fetch(SQL["load"], list(keys)):
            said = AlertSilenced.model_validate(orjson.loads(row["body"]))
            one = Standing(row["silence_id"], row["home"], row["since"], row["by"], said)
            units.setdefault(row["stream"], OfUnit()).standing[one.silence_id] = one
        return units

    async def load_partition(self, connection: Connection, partition: int) -> Mapping[str, OfUnit]:
        return {}

    async def dues(self, connection: Connection, partition: int) -> Iterable[tuple[str, str]]:
        return [(row["due"], row["stream"]) for row in await connection.fetch(SQL["dues"], partition)]

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        await _WRITINGS.write(connection, pages)
