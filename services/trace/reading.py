"""Reads what a trace needs: from the ledger, the ties of cases and reports, and what subscribers were sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import asyncpg

from events.vocabulary import EVERY_HOME, wire_time
from projections.sql import named_queries
from services.ledger.ledger import Recorded
from services.trace.events import Told

SQL = named_queries("services.trace", "trace.sql")

MOST_EVENTS = 20_000
"""Events that one trace reads at a time; more than that is said, never left out in silence."""

AS_ANYBODY = "select set_config('intabaza.units', '*', true), set_config('intabaza.subscribers_of', '*', true)"
"""With whose eyes a trace reads: what its asker may not see is taken out of the answer, and counted."""

Fetch = Callable[..., Awaitable[list[asyncpg.Record]]]


class TooMuch(Exception):
    """More rests on it than one answer may hold."""


class Reader:
    """Reads within one transaction, of which `fetch` runs one query; nothing after `up_to` is told."""

    def __init__(self, fetch: Fetch, up_to: int) -> None:
        self._fetch = fetch
        self.up_to = up_to

    @classmethod
    async def begin(cls, fetch: Fetch) -> Self:
        """Look with anybody's eyes, up to the head of now."""
        await fetch(AS_ANYBODY)
        rows = await fetch(SQL["head"])
        return cls(fetch, int(rows[0][0]))

    async def event(self, event: UUID | int) -> Told | None:
        """An event by its id or its position."""
        rows = await (
            self._fetch(SQL["event"], event) if isinstance(event, UUID) else self._fetch(SQL["position"], event)
        )
        return Told.of(Recorded(*rows[0])) if rows else None

    async def together_with(self, command_id: UUID) -> list[Told]:
        return await self._events("command", command_id)

    async def streams(self, names: Collection[str]) -> list[Told]:
        return await self._events("streams", sorted(names)) if names else []

    async def at(self, moment: datetime, home: str) -> list[Told]:
        """What was recorded at one moment in one home, or for all of them."""
        return [Told.of(Recorded(*row)) for row in await self._fetch(SQL["same_moment"], moment, home, MOST_EVENTS)]

    async def tied_to(self, reports: Collection[str]) -> list[str]:
        """Streams to which reports were ever linked, or as which they were received later."""
        rows = await self._fetch(SQL["cases_of"], sorted(reports), MOST_EVENTS)
        return [row["stream"] for row in rows]

    async def levels_naming(self, homes: Collection[str], words: Collection[str]) -> list[str]:
        """Streams of levels in these homes that name one of these words anywhere."""
        everywhere = EVERY_HOME in homes
        streams = await self._fetch(SQL["levels_of"], None if everywhere else sorted(homes))
        rows = await self._fetch(SQL["naming"], [row["stream"] for row in streams], sorted(words))
        return sorted(row["stream"] for row in rows)

    async def messages(self, alerts: Collection[UUID]) -> list[asyncpg.Record]:
        return await self._fetch(SQL["messages"], sorted(alerts), MOST_EVENTS) if alerts else []

    async def _events(self, query: str, *arguments: Any) -> list[Told]:
        rows = await self._fetch(SQL[query], *arguments, MOST_EVENTS + 1)
        if len(rows) > MOST_EVENTS:
            raise TooMuch
        return [Told.of(Recorded(*row)) for row in rows if row["position"] <= self.up_to]


def spelt(moment: datetime) -> str:
    """How a change of a level spells the moment of what led to it."""
    return f'"effective_at":"{wire_time(moment)}"'
