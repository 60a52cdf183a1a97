"""The notifier that leads: what was sent is recorded on the session that holds its lock, while that is sure."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from projections.sql import named_queries
from services.database.lead import LEASE_SECONDS, LeadSession

SQL = named_queries("services.notifier", "notifier.sql")

CHANGED = "notifier"
"""The channel that tells of what people do to subscribers."""

SURE_SECONDS = LEASE_SECONDS - 1.0
"""How long after the last sign of life it is sure that nobody else leads: the server keeps the session longer."""


class Held(NamedTuple):
    """An alert that is held back."""

    unit: str
    mode: str
    position: int


class LetGo(NamedTuple):
    """An alert that is held back no more since this position: sent, replaced, or of no news."""

    unit: str
    mode: str
    position: int
    at: int


class Sent(NamedTuple):
    """One alert or announcement of a try; of an announcement, which tells no level, the last four are None."""

    position: int
    event_id: UUID
    unit: str | None
    mode: str | None
    level: int | None
    stands: bool | None


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one try to deliver a notice: `cursor` is where the subscriber has come to with it, if anywhere,
    `ends` why nothing more is to be sent, `delay` until the next, `public` whether it went to an address of the
    internet."""

    subscriber_id: UUID
    version: int
    resends: int
    cursor: int | None
    delivered: bool
    status: int | None
    public: bool
    error: str | None
    delay: float
    ends: str | None
    sent: Sequence[Sent]


_OF_A_TRY = tuple(name for name in Tried.__dataclass_fields__ if name != "sent")


class Lead(LeadSession):
    """The notifier's session."""

    application = "intabaza notifier"
    queries = SQL

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        super().__init__(connection)
        self.changed = asyncio.Event()
        self._alive_at = asyncio.get_running_loop().time()
        self._heard = asyncio.Event()

    async def listen(self) -> None:
        await self._connection.add_listener(CHANGED, lambda *_: self.changed.set())

    async def until_sure(self) -> None:
        """Return while nobody else can lead. A process that was frozen and woke waits here for its next sign of life,
        which finds out that another one leads."""
        while asyncio.get_running_loop().time() - self._alive_at > SURE_SECONDS:
            self._heard.clear()
            await self._heard.wait()

    async def record(self, tried: Sequence[Tried], give_up: timedelta) -> Mapping[UUID, str | None]:
        """Write what came of these, each of another subscriber; answers why whom is disabled, and nothing of those
        whom a person has moved or changed since."""
        columns = [[getattr(one, name) for one in tried] for name in _OF_A_TRY]
        sent = [(one.subscriber_id, *event) for one in tried for event in one.sent]
        whose = [list(column) for column in zip(*sent, strict=True)]
        rows = await self._rows("record", *columns, *whose, give_up)
        return {row["subscriber_id"]: row["disabled_because"] for row in rows}

    async def pass_by(
        self, subscriber_id: UUID, version: int, position: int, held: Sequence[Held], let_go: Sequence[LetGo]
    ) -> bool:
        """Everything up to here is decided of a subscriber; this is all that is held back for it, and that was let go
        on the way. False where a person has changed it since: then nothing is written."""
        columns = [[one[column] for one in held] for column in range(len(Held._fields))]
        columns += [[one[column] for one in let_go] for column in range(len(LetGo._fields))]
        return bool(await self._value("pass_by", subscriber_id, version, position, *columns))

    async def _rows(self, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        asked_at = asyncio.get_running_loop().time()
        rows = await super()._rows(query, *arguments)
        self._alive_at = max(self._alive_at, asked_at)
        self._heard.set()
        return rows
