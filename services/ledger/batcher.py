"""Group commit: many callers' appends in one round trip and one sync, and what each may conclude when it fails."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog

from events.envelope import SPLICE_VERSION
from projections.sql import named_queries
from services.database.lost import ANSWER_SECONDS, CONNECT_SECONDS, LOST
from services.database.pools import BY_KEY
from services.ledger.group import Waiting, answer, arguments, check, take_group
from services.ledger.ledger import (
    Accepted,
    LedgerError,
    LedgerUnavailable,
    Placed,
    Submission,
    unavailable,
    unknown,
)

SQL = named_queries("services.ledger", "postgres.sql")

SETTINGS = {
    "application_name": "intabaza ledger",
    "default_transaction_isolation": "read committed",
    # The server gives up before we do: "not accepted" is then certain where silence would be "unknown".
    "statement_timeout": "20s",
    **BY_KEY,
}

_log = structlog.get_logger(__name__)


class _RolledBack(Exception):
    """The server answered with an error, or nothing was sent: the group is certainly not in the ledger."""


class Batcher:
    """Collects appends while a group is on its way; they are the next group.

    One connection, one group at a time: a second one made smaller groups and was slower (26 k against 30 k appends/s).

    A cancelled caller takes nothing with it: its command is dropped if it was not sent, else it is accepted unheard.
    """

    def __init__(self, dsn: str, clock: Callable[[], datetime]) -> None:
        self._dsn = dsn
        self._clock = clock
        self._queue: deque[Waiting] = deque()
        self._queued = asyncio.Event()
        self._closing = False
        self._worker = asyncio.create_task(self._work(), name="ledger appends")
        self.clock_behind = False

    async def append(self, submission: Submission) -> Accepted:
        check(submission)
        if self._closing:
            raise LedgerUnavailable("this ledger was closed and sent nothing: try again elsewhere")
        caller: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._queue.append(Waiting(submission, caller))
        self._queued.set()
        return await caller

    async def close(self) -> None:
        """Let the groups on their way arrive; refuse what waits behind them."""
        self._closing = True
        self._queued.set()
        await self._worker
        while self._queue:
            self._queue.popleft().refuse(
                LedgerUnavailable("this ledger was closed and sent nothing: try again elsewhere")
            )

    async def _work(self) -> None:
        session = _Session(self._dsn)
        try:
            while not self._closing:
                await self._queued.wait()
                group = take_group(self._queue)
                if group:
                    await self._send(session, group)
                elif not self._closing:
                    self._queued.clear()
        finally:
            session.terminate()

    async def _send(self, session: _Session, group: list[Waiting]) -> None:
        """Send a group and give each member its answer; never raises."""
        try:
            rows = await session.append(self._clock(), [waiting.submission for waiting in group])
            self._note_clock(rows)
            repeats = [
                waiting.submission.command_id
                for waiting, row in zip(group, rows, strict=True)
                if row["outcome"] == "repeated"
            ]
            answer(group, rows, await session.placed(repeats) if repeats else {})
        except _RolledBack as error:
            if len(group) == 1:
                group[0].refuse(unavailable(error.__cause__ or error))
            else:
                # Who is to blame is found by sending each member alone.
                for waiting in group:
                    await self._send(session, [waiting])
        except LedgerError as error:
            for waiting in group:
                waiting.refuse(error)
        except Exception as error:
            # Nothing is known to raise this; whatever it is, the group may have been accepted.
            session.terminate()
            _log.exception("ledger_group_failed")
            for waiting in group:
                waiting.refuse(unknown(error))

    def _note_clock(self, rows: Sequence[asyncpg.Record]) -> None:
        behind = bool(rows[0]["clock_behind"])
        if behind and not self.clock_behind:
            _log.error("ledger_clock_behind", hint="the database's clock is behind the last event: set it right")
        self.clock_behind = behind


class _Session:
    """One connection that appends; made when it is needed, thrown away on any doubt."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._statement: asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record] | None = None

    async def append(self, witness: datetime, submissions: Sequence[Submission]) -> Sequence[asyncpg.Record]:
        """Send one group; raises LedgerUnavailable (unsent), _RolledBack or Unknown."""
        statement = await self._ready()
        try:
            return await statement.fetch(witness, SPLICE_VERSION, *arguments(submissions), timeout=ANSWER_SECONDS)
        except asyncpg.DataError as error:
            # Raised by asyncpg for an argument that has no binary form, before it sends anything; or by the server.
            raise _RolledBack from error
        except asyncpg.PostgresError as error:
            if getattr(error, "severity_en", None) == "ERROR":
                raise _RolledBack from error
            # FATAL can reach us between the commit and its answer; a lost connection says nothing at all.
            self.terminate()
            raise unknown(error) from error
        except LOST as error:
            self.terminate()
            raise unknown(error) from error

    async def placed(self, command_ids: Sequence[UUID]) -> dict[UUID, tuple[Placed, ...]]:
        """Read back what was placed for commands that the ledger holds."""
        assert self._connection is not None
        try:
            rows = await self._connection.fetch(SQL["placed"], command_ids, timeout=ANSWER_SECONDS)
        except LOST as error:
            self.terminate()
            raise unknown(error) from error
        found: dict[UUID, tuple[Placed, ...]] = {}
        for command_id, *columns in rows:
            found[command_id] = (*found.get(command_id, ()), Placed(*columns))
        return found

    async def _ready(self) -> asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record]:
        if self._connection is not None and self._statement is not None and not self._connection.is_closed():
            return self._statement
        self.terminate()
        try:
            self._connection = await asyncpg.connect(self._dsn, timeout=CONNECT_SECONDS, server_settings=SETTINGS)
            self._statement = await self._connection.prepare(SQL["append"], timeout=CONNECT_SECONDS)
        except LOST as error:
            self.terminate()
            raise unavailable(error) from error
        return self._statement

    def terminate(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = self._statement = None
