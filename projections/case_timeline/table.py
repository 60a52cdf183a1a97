"""The timeline's rows in Postgres: copied in, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from projections.projection import Connection, Page
from projections.rows import Copy, Writings
from projections.sql import named_queries

SQL = named_queries("projections.case_timeline", "table.sql")

_EVENT = ("position", "stream", "version", "type", "recorded_at", "role", "actor", "data")
_LINK = ("position", "stream", "kind", "other", "holds")
_WRITINGS = Writings(
    SQL, copied={"event": Copy("case_timeline_event", _EVENT), "link": Copy("case_timeline_link", _LINK)}
)


class TimelineTable:
    """Nothing is ever loaded: the fold has no state."""

    definition = SQL["definition"]
    digests = (SQL["digest_events"], SQL["digest_links"])

    async def load(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, None]:
        return {}

    async def load_partition(self, connection: Connection, partition: int) -> Mapping[str, None]:
        return {}

    async def dues(self, connection: Connection, partition: int) -> Iterable[tuple[str, str]]:
        return ()

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        await _WRITINGS.write(connection, pages)
