"""Alerts as they were issued, from the ledger and up to what the relay has had acknowledged: whatever leaves us.

Every question is a page of a bounded size, so the whole history passes through a bounded memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from projections.sql import named_queries
from services.bulletins.cap import MOST_REFERENCES
from services.bulletins.told import Reference, Told, hour_of, told
from services.ledger.ledger import Recorded

SQL = named_queries("services.bulletins", "history.sql")
PAGE = 500
FAR = 2**62
"""A position that no ledger reaches."""


class Row(Protocol):
    """A row of the database."""

    def __getitem__(self, key: str) -> Any: ...


Fetch = Callable[..., Awaitable[Sequence[Row]]]
"""Rows of a query with its arguments."""

AlertsFrom = Callable[[str], Awaitable[int]]
"""From which level there are alerts, by the rule set of this hash."""


@dataclass(frozen=True)
class Days:
    """Days of alerts, both included; None is without an end."""

    first: date | None = None
    last: date | None = None


ANY_DAY = Days()


@dataclass(frozen=True)
class History:
    """What strangers were told, up to a position."""

    fetch: Fetch
    alerts_from: AlertsFrom
    until: int

    async def after(
        self, position: int, limit: int, streams: Sequence[str] | None = None, days: Days = ANY_DAY
    ) -> list[Told]:
        """The oldest alerts after a position."""
        arguments = (position, self.until, limit, streams, days.first, days.last)
        return [await self._told(row) for row in await self.fetch(SQL["after"], *arguments)]

    async def before(self, position: int, limit: int, streams: Sequence[str] | None = None) -> list[Told]:
        """The latest alerts before a position, the latest first."""
        rows = await self.fetch(SQL["before"], position, self.until, limit, streams)
        return [await self._told(row) for row in rows]

    async def one(self, alert_id: UUID) -> Told | None:
        """The alert with this id; None where nobody was told it."""
        rows = await self.fetch(SQL["one"], alert_id, self.until)
        return await self._told(rows[0]) if rows else None

    async def chain(self, alert: Told) -> list[Reference]:
        """The alerts whose place it takes, the latest first."""
        if alert.supersedes is None:
            return []
        stream = f"alert/{alert.alert.unit}"
        rows = await self.fetch(SQL["chain"], stream, alert.position, MOST_REFERENCES)
        wanted: UUID | None = alert.supersedes
        found = []
        for row in rows:
            one = await self._told(row)
            if one.alert_id == wanted:
                found.append(one.reference)
                wanted = one.supersedes
        return found

    async def latest(self, units: Iterable[str]) -> dict[str, Told]:
        """What was told last of these units, by unit; `sent` is not that of a document."""
        streams = [f"alert/{unit}" for unit in units]
        tolds = [await self._told(row) for row in await self.fetch(SQL["latest"], self.until, streams)]
        return {one.alert.unit: one for one in tolds}

    async def last(self, streams: Sequence[str] | None = None) -> UUID | None:
        """The id of the last alert: another one whenever there is a new one, and never otherwise."""
        rows = await self.fetch(SQL["last"], self.until, streams)
        return rows[0]["event_id"] if rows else None

    async def up_to(self) -> datetime | None:
        """The hour before which everything that was recorded is in here; None where nothing is. Nobody is told more."""
        rows = await self.fetch(SQL["up_to"], self.until)
        return hour_of(rows[0]["recorded_at"]) if rows else None

    async def all(self, position: int = 0, streams: Sequence[str] | None = None) -> AsyncIterator[list[Told]]:
        """Everything after a position, page by page."""
        while page := await self.after(position, PAGE, streams):
            yield page
            position = page[-1].position

    async def _told(self, row: Row) -> Told:
        recorded = Recorded(
            row["position"], row["stream"], row["version"], row["event_id"], row["type"], row["home"],
            row["recorded_at"], row["command_id"], row["command_mac"], row["body"], row["splice_version"],
        )  # fmt: skip
        return await told(recorded, row["earlier_in_its_hour"], self.alerts_from)
