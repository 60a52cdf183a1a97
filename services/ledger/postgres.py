"""The ledger in Postgres: appends commit in groups, readers follow by LISTEN, connections come back by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.database.lost import ANSWER_SECONDS, CONNECT_SECONDS, LOST
from services.database.pools import as_it_was
from services.ledger.batcher import SETTINGS, SQL, Batcher
from services.ledger.bell import RECONNECT_SECONDS, Bell, in_time
from services.ledger.ledger import (
    Accepted,
    Head,
    LedgerError,
    LedgerUnavailable,
    NotAccepted,
    Placed,
    Recorded,
    Submission,
    unavailable,
    unknown,
)

FOLLOW_BATCH = 1_000
CLOCK_SET = "clock"
"""The channel that tells who ticks that a simulated clock was set: they look every second anyway."""


class PostgresLedger:
    """`Ledger` on asyncpg, as the role intabaza_app. It belongs to the event loop that it was connected in.

    `clock` is this process's own clock: a witness to the database's, never the source of a time.
    """

    def __init__(
        self, pool: asyncpg.Pool[asyncpg.Record], batcher: Batcher, bell: Bell, clock: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._batcher = batcher
        self._bell = bell
        self._clock = clock
        self._closed = False

    @classmethod
    async def connect(
        cls,
        dsn: str,
        clock: Callable[[], datetime],
        *,
        readers: int = 4,
        poll_seconds: float = 5.0,
    ) -> PostgresLedger:
        """Connect to a migrated database; raises LedgerUnavailable where it cannot."""
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=readers,
                timeout=CONNECT_SECONDS,
                command_timeout=ANSWER_SECONDS,
                server_settings=SETTINGS,
                reset=as_it_was,
            )
        except LOST as error:
            raise unavailable(error) from error
        return cls(pool, Batcher(dsn, clock), Bell(dsn, SQL["head"], poll_seconds), clock)

    async def close(self) -> None:
        """Let appends on their way arrive, then let go of every connection."""
        self._closed = True
        await self._batcher.close()
        await self._bell.close()
        self._pool.terminate()

    @property
    def clock_behind(self) -> bool:
        """Whether the database's clock was behind the last event at the last append: an alarm, no more."""
        return self._batcher.clock_behind

    async def append(self, submission: Submission) -> Accepted:
        return await self._batcher.append(submission)

    async def ask(self, command_id: UUID) -> Accepted | None:
        try:
            rows = await self._pool.fetch(SQL["ask"], command_id)
        except LOST as error:
            raise unknown(error) from error
        return Accepted(tuple(Placed(*row) for row in rows), repeated=True) if rows else None

    async def read_command(self, command_id: UUID) -> Sequence[Recorded]:
        return [Recorded(*row) for row in await self._fetch(SQL["read_command"], command_id)]

    async def read_stream(self, stream: str, after_version: int = 0) -> Sequence[Recorded]:
        return [Recorded(*row) for row in await self._fetch(SQL["read_stream"], stream, after_version)]

    async def first_of(self, streams: Collection[str], since: datetime) -> Sequence[Recorded]:
        return [Recorded(*row) for row in await self._fetch(SQL["first_of"], list(streams), since)]

    async def read(self, after_position: int, limit: int = 1000) -> Sequence[Recorded]:
        return [Recorded(*row) for row in await self._fetch(SQL["read"], after_position, limit)]

    async def read_alerts(self, after_position: int, until_position: int, limit: int = 1000) -> Sequence[Recorded]:
        rows = await self._fetch(SQL["read_alerts"], after_position, until_position, limit)
        return [Recorded(*row) for row in rows]

    async def head(self) -> Head:
        rows = await self._fetch(SQL["head"])
        return Head(*rows[0]) if rows else Head(0, None)

    async def wait_for(self, position: int, timeout_seconds: float) -> bool:
        return await in_time(self._bell.wait_for(position), timeout_seconds)

    async def wait_for_a_hint(self, position: int, timeout_seconds: float) -> bool:
        """Wait until somebody says that the ledger holds this position, which is to be read and not believed."""
        return await in_time(self._bell.wait_for_a_hint(position), timeout_seconds)

    async def follow(self, after_position: int) -> AsyncIterator[Sequence[Recorded]]:
        while True:
            try:
                rows = await self.read(after_position, FOLLOW_BATCH)
            except LedgerUnavailable:
                if self._closed:
                    raise
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            if not rows:
                await self._bell.wait_for(after_position + 1)
                continue
            for row in rows:
                if row.position != after_position + 1:
                    raise LedgerError(
                        f"the ledger holds position {row.position} but not {after_position + 1}: it is damaged; "
                        "stop every process and restore it from Kafka"
                    )
                after_position = row.position
            yield rows

    async def simulated_clock(self) -> datetime | None:
        rows = await self._fetch(SQL["simulated_clock"])
        return rows[0][0] if rows else None

    async def accept_clock(self) -> None:
        await self._control("select ledger.accept_clock($1)", self._clock())

    async def set_clock(self, now: datetime) -> None:
        await self._control("select pg_notify($2, '') from (select ledger.set_clock($1)) as done", now, CLOCK_SET)

    async def shut_door(self, because: str) -> None:
        await self._control("select ledger.shut_door($1)", because)

    async def open_door(self) -> None:
        await self._control("select ledger.open_door()")

    async def _control(self, statement: str, *arguments: Any) -> None:
        try:
            await self._pool.execute(statement, *arguments)
        except asyncpg.RaiseError as error:
            raise NotAccepted(str(error)) from error
        except LOST as error:
            raise unknown(error) from error

    async def _fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        try:
            return await self._pool.fetch(query, *arguments)
        except LOST as error:
            raise unavailable(error) from error


async def simulate(owner_dsn: str, start: datetime) -> None:
    """Make an empty ledger a simulated one whose clock stands at `start`; raises NotAccepted for one that was begun."""
    try:
        connection = await asyncpg.connect(owner_dsn, timeout=CONNECT_SECONDS)
    except LOST as error:
        raise unavailable(error) from error
    try:
        await connection.execute("select ledger.simulate($1)", start)
    except asyncpg.RaiseError as error:
        raise NotAccepted(str(error)) from None
    finally:
        await connection.close()
