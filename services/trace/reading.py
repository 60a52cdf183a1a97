"""Reads what a trace needs: from the ledger, the ties of cases and reports, and what subscribers were sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import asyncpg

from events.vocabulary import EVERY_HOME, wire_time
from projections.sql import named_queries
from services.ledger.ledger import Recorded
from services.trace.events import Told
from services.trace.sources import Marks, Parked

SQL = named_queries("services.trace", "trace.sql")

MOST_EVENTS = 20_000
"""Events that one trace reads, unless it is told otherwise; more than that is said, never left out in silence."""

AS_ANYBODY = "select set_config('intabaza.units', '*', true), set_config('intabaza.subscribers_of', '*', true)"
"""With whose eyes a trace reads: what its asker may not see is taken out of the answer, and counted."""

Fetch = Callable[..., Awaitable[list[asyncpg.Record]]]


class TooMuch(Exception):
    """More would have to be read for an answer than may be; `most` says how much may, `what` of what there is more."""

    def __init__(self, most: int, what: str) -> None:
        super().__init__(f"More than {most:,} {what} would have to be read.")


class Reader:
    """Reads within one transaction, of which `fetch` runs one query; nothing after `up_to` is told.

    Of nothing are there more than `most`: what would be cut raises TooMuch.
    """

    def __init__(self, fetch: Fetch, up_to: int, most: int = MOST_EVENTS) -> None:
        self._fetch = fetch
        self.up_to = up_to
        self.most = most

    @classmethod
    async def begin(cls, fetch: Fetch, most: int = MOST_EVENTS) -> Self:
        """Look with anybody's eyes, up to the head of now."""
        await fetch(AS_ANYBODY)
        rows = await fetch(SQL["head"])
        return cls(fetch, int(rows[0][0]), most)

    async def event(self, event: UUID | int) -> Told | None:
        """An event by its id or its position."""
        rows = await (
            self._fetch(SQL["event"], event) if isinstance(event, UUID) else self._fetch(SQL["position"], event)
        )
        return Told.of(Recorded(*rows[0])) if rows else None

    async def version(self, stream: str, version: int) -> Told | None:
        """The event with this number in a stream."""
        rows = await self._fetch(SQL["version"], stream, version)
        return Told.of(Recorded(*rows[0])) if rows else None

    async def together_with(self, command_id: UUID) -> list[Told]:
        return await self._events("command", command_id)

    async def streams(self, names: Collection[str]) -> list[Told]:
        return await self._events("streams", sorted(names)) if names else []

    async def at(self, moments: Collection[tuple[datetime, str]]) -> list[Told]:
        """What was recorded at moments, each in one home or for all of them."""
        if not moments:
            return []
        return await self._events("same_moments", [moment for moment, _ in moments], [home for _, home in moments])

    async def tied_to(self, reports: Collection[str]) -> list[str]:
        """Streams to which reports were ever linked, or as which they were received later."""
        return [row["stream"] for row in await self._all("cases_of", "ties of reports", sorted(reports))]

    async def levels_naming(self, homes: Collection[str], words: Collection[str], since: int) -> list[str]:
        """Streams of levels in these homes that name one of these words anywhere from a position on."""
        everywhere = EVERY_HOME in homes
        streams = await self._fetch(SQL["levels_of"], None if everywhere else sorted(homes))
        rows = await self._fetch(SQL["naming"], [row["stream"] for row in streams], sorted(words), since)
        return sorted(row["stream"] for row in rows)

    async def messages(self, alerts: Collection[UUID]) -> list[asyncpg.Record]:
        return await self._all("messages", "messages to subscribers", sorted(alerts)) if alerts else []

    async def marks(self, partitions: int) -> Marks:
        """How far everybody is, where topics have so many partitions."""
        relay: dict[int, int] = {}
        folded, acknowledged = {}, 0
        for row in await self._fetch(SQL["marks"]):
            if row["partition"] is None:
                acknowledged = row["position"]
            elif row["place"] == "relay":
                relay[row["partition"]] = row["position"]
            else:
                folded[row["place"], row["partition"]] = row["position"]
        parked = [Parked(row["place"], row["home"], row["position"]) for row in await self._fetch(SQL["parked"])]
        return Marks(partitions, self.up_to, acknowledged, relay, folded, parked)

    async def waits(self, after: int, categories: Collection[str], homes: Collection[str]) -> int | None:
        """The first position after one that is of these categories and homes, or where looking for it would end."""
        everywhere = None if EVERY_HOME in homes else sorted(homes)
        rows = await self._fetch(SQL["waits"], after, sorted(categories), everywhere, self.most)
        if (first := rows[0]["position"]) is not None:
            return int(first) if first <= self.up_to else None
        return after + self.most if self.up_to > after + self.most else None

    async def untold(self, alerts: Mapping[UUID, int]) -> tuple[int, int | None]:
        """How many subscribers are not through with alerts, by their positions, and how far the last of them is."""
        if not alerts:
            return 0, None
        (row,) = await self._fetch(SQL["untold"], list(alerts), list(alerts.values()))
        return row["waiting"], row["since"]

    def refuse_more(self, events: int) -> None:
        """Raises TooMuch where so many events are more than may be read."""
        if events > self.most:
            raise TooMuch(self.most, "events")

    async def _events(self, query: str, *arguments: Any) -> list[Told]:
        rows = await self._all(query, "events", *arguments)
        return [Told.of(Recorded(*row)) for row in rows if row["position"] <= self.up_to]

    async def _all(self, query: str, what: str, *arguments: Any) -> list[asyncpg.Record]:
        rows = await self._fetch(SQL[query], *arguments, self.most + 1)
        if len(rows) > self.most:
            raise TooMuch(self.most, what)
        return rows


def spelt(moment: datetime) -> str:
    """How a change of a level spells the moment of what led to it."""
    return f'"effective_at":"{wire_time(moment)}"'
