"""The register of subscribers, as the API and the command line keep it, under the role intabaza_app.

What somebody reads is read with their eyes, as projections are: the transaction says whose subscribers it sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from pydantic import SecretStr

from events.refusals import BadInput
from projections.sql import named_queries
from services.database.lost import ANSWER_SECONDS, LOST
from services.database.pools import as_it_was
from services.ledger.ledger import unavailable
from services.subscribers.filters import EACH, Filters, Manner
from services.subscribers.refused import (
    NoSuchSubscriber,
    OwnerErased,
    SubscribedAlready,
    TooManySecrets,
    TooManySubscribers,
)
from services.subscribers.secrets import NewSecret
from services.vault.master import MasterKey

SQL = named_queries("services.subscribers", "register.sql")

EVERYBODYS = "*"

MOST = 50
"""Subscribers that one person may have, as the database sees to (0020)."""

MOST_SECRETS = 5
"""Secrets of one that sign at once; the same."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One as it stands. `waiting` counts the alerts after its position, also such as its filters pass by, to 1000;
    `held_back` the units of which the last alert is held back by a silence or a higher alert."""

    subscriber_id: UUID
    url: str
    filters: Filters
    manner: Manner
    created_by: UUID | None
    created_at: datetime
    position: int
    waiting: int
    held_back: int
    resends: int
    attempts: int
    failing_since: datetime | None
    next_at: datetime | None
    last_at: datetime | None
    last_status: int | None
    last_error: str | None
    delivered_at: datetime | None
    disabled_because: str | None
    disabled_since: datetime | None
    old_secret_ends_at: datetime | None


class Register:
    """Subscribers of one owner, or of everybody where `owner` is None; it belongs to one event loop."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], master: MasterKey, overlap: timedelta) -> None:
        self._pool = pool
        self._master = master
        self._overlap = overlap

    @classmethod
    async def connect(cls, dsn: str, master: MasterKey, overlap: timedelta) -> Register:
        """`overlap` is how long a secret stays valid beside the one that follows it. Raises LedgerUnavailable."""
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=0,
                max_size=2,
                command_timeout=ANSWER_SECONDS,
                server_settings={"application_name": "intabaza subscribers"},
                reset=as_it_was,
            )
        except LOST as error:
            raise unavailable(error) from error
        return cls(pool, master, overlap)

    async def close(self) -> None:
        self._pool.terminate()

    async def list(
        self, owner: UUID | None, after: tuple[datetime, UUID] | None = None, most: int = 10_000
    ) -> Sequence[Subscriber]:
        """The eldest first."""
        created_at, subscriber_id = after or (None, None)
        rows = await self._seen(owner, "subscribers", None, created_at, subscriber_id, most)
        return [_subscriber(row) for row in rows]

    async def find(self, owner: UUID | None, subscriber_id: UUID) -> Subscriber:
        """Raises NoSuchSubscriber."""
        rows = await self._seen(owner, "subscribers", subscriber_id, None, None, 1)
        if not rows:
            raise NoSuchSubscriber()
        return _subscriber(rows[0])

    async def deliveries(
        self, owner: UUID | None, subscriber_id: UUID, after: tuple[int, int] | None = None, most: int = 50
    ) -> Sequence[asyncpg.Record]:
        """What was sent to it, the latest first. Raises NoSuchSubscriber."""
        await self.find(owner, subscriber_id)
        resends, position = after or (None, None)
        return await self._seen(owner, "deliveries", subscriber_id, resends, position, most)

    async def add(
        self,
        owner: UUID | None,
        url: str,
        filters: Filters,
        from_position: int | None = None,
        manner: Manner = EACH,
    ) -> tuple[UUID, SecretStr]:
        """A new one, from a position or else from now on, and its secret.

        Raises SubscribedAlready, TooManySubscribers, OwnerErased.
        """
        subscriber_id = uuid4()
        secret = NewSecret.make(self._master, subscriber_id)
        kept = secret.secret_id, secret.sealed, secret.version
        row = await self._row(
            "add", subscriber_id, url, *_columns(filters), *astuple(manner), owner, from_position, *kept
        )
        match row and row["outcome"]:
            case "added":
                return subscriber_id, secret.shown
            case "too_many":
                raise TooManySubscribers(count=MOST)
            case "erased":
                raise OwnerErased()
        raise SubscribedAlready(subscriber=row["subscriber"] if row else "another one")

    async def change(
        self, owner: UUID | None, subscriber_id: UUID, url: str, filters: Filters, manner: Manner = EACH
    ) -> None:
        """Other filters, another URL or another manner, from where it stands.

        Raises NoSuchSubscriber, SubscribedAlready.
        """
        try:
            done = await self._act("change", subscriber_id, owner, url, *_columns(filters), *astuple(manner))
        except asyncpg.UniqueViolationError:
            raise SubscribedAlready(subscriber="another one") from None
        if not done:
            raise NoSuchSubscriber()

    async def rotate(self, owner: UUID | None, subscriber_id: UUID) -> tuple[SecretStr, datetime]:
        """A new secret, and until when the old one signs too; those before it sign as long as was said of them.

        Raises NoSuchSubscriber, TooManySecrets.
        """
        secret = NewSecret.make(self._master, subscriber_id)
        kept = secret.secret_id, secret.sealed, secret.version
        row = await self._row("rotate", subscriber_id, owner, *kept, self._overlap)
        if row is None:
            raise NoSuchSubscriber()
        until: datetime = row["until"]
        if row["outcome"] == "too_many":
            raise TooManySecrets(count=MOST_SECRETS, until=f"{until:%Y-%m-%d %H:%M:%S} UTC")
        return secret.shown, until

    async def disable(self, owner: UUID | None, subscriber_id: UUID, because: str) -> None:
        """Send nothing more, until it is enabled. Raises NoSuchSubscriber."""
        if not await self._act("disable", subscriber_id, owner, because):
            raise NoSuchSubscriber()

    async def enable(self, owner: UUID | None, subscriber_id: UUID) -> None:
        """Go on where it stood, at once. Raises NoSuchSubscriber."""
        if not await self._act("enable", subscriber_id, owner):
            raise NoSuchSubscriber()

    async def remove(self, owner: UUID | None, subscriber_id: UUID) -> None:
        """Send nothing more, and keep nothing of it, nor of what was sent. Raises NoSuchSubscriber."""
        if not await self._act("remove", subscriber_id, owner):
            raise NoSuchSubscriber()

    async def resend(self, owner: UUID | None, subscriber_id: UUID, from_position: int) -> None:
        """Send again what its filters take, from a position on. Raises NoSuchSubscriber, BadInput."""
        done = await self._act("resend", subscriber_id, owner, from_position)
        if done is None:
            raise BadInput.field(
                "from_position", "a position that it has come to", "see its position; what lies ahead is sent anyway"
            )
        if not done:
            raise NoSuchSubscriber()

    async def _act(self, query: str, *arguments: Any) -> Any:
        row = await self._row(query, *arguments)
        return None if row is None else row[0]

    async def _row(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        try:
            return await self._pool.fetchrow(SQL[query], *arguments)
        except asyncpg.UniqueViolationError:
            raise
        except LOST as error:
            raise unavailable(error) from error

    async def _seen(self, owner: UUID | None, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        eyes = EVERYBODYS if owner is None else str(owner)
        try:
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute("select set_config('intabaza.subscribers_of', $1, true)", eyes)
                return await connection.fetch(SQL[query], *arguments)
        except LOST as error:
            raise unavailable(error) from error


def filters_of(row: asyncpg.Record) -> Filters:
    """The filters that a row says."""
    units, changes = row["units"], row["changes"]
    return Filters(
        None if units is None else frozenset(units),
        row["minimum_level"],
        None if changes is None else frozenset(changes),
        frozenset(row["modes"]),
    )


def manner_of(row: asyncpg.Record) -> Manner:
    """How it is told, as a row says."""
    return Manner(row["by_province"], row["wait_seconds"], row["inhibits"])


def _columns(filters: Filters) -> tuple[Any, ...]:
    units, changes = filters.units, filters.changes
    return (
        None if units is None else sorted(units),
        filters.minimum_level,
        None if changes is None else sorted(changes),
        sorted(filters.modes),
    )


def _subscriber(row: asyncpg.Record) -> Subscriber:
    shown = {name: row[name] for name in Subscriber.__dataclass_fields__ if name not in ("filters", "manner")}
    return Subscriber(**shown, filters=filters_of(row), manner=manner_of(row))
