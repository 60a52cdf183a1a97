"""A session that holds a lock and shows that it lives: whoever leads writes on it, so that what is written is true.

The server lets go of the lock when the session ends: at once when the process is killed, after LEASE_SECONDS of silence
when it is frozen, and when the network stops answering.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import asyncpg

from services.database.lost import LOST

TRY_SECONDS = 0.25
BEAT_SECONDS = 1.0
LEASE_SECONDS = 5
"""Not less: with 1.5 seconds, a leader on a machine that was busy tenfold lost the lead every five seconds for nothing,
began anew each time, and brought nothing to Kafka."""
ANSWER_SECONDS = 4.0

SESSION = {
    "idle_session_timeout": f"{LEASE_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{LEASE_SECONDS}s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": f"{LEASE_SECONDS}s",
    # What a leader saves can be found out again, or done again; a lost commit costs that and nothing else.
    "synchronous_commit": "off",
}


class LeadLost(Exception):
    """The session is gone or holds the lock no more: another one may lead."""


class LeadSession:
    """One session. It leads from `try_to_lead` on until it ends.

    A kind of leader says what it is called and by which of its queries it takes its lock and proves that it holds it.
    """

    application: ClassVar[str]
    queries: ClassVar[Mapping[str, str]]

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()  # one question at a time is all that a connection takes

    @classmethod
    async def connect(cls, dsn: str) -> Self:
        """A session that does not lead yet; raises LeadLost where the database is not there."""
        try:
            settings = {**SESSION, "application_name": cls.application}
            lead = cls(await asyncpg.connect(dsn, timeout=ANSWER_SECONDS, server_settings=settings))
            await lead.listen()
            return lead
        except LOST as error:
            raise LeadLost(f"the database is not there ({str(error) or type(error).__name__})") from error

    async def listen(self) -> None:
        """Listen to what this kind of leader is told, when the session begins."""

    def end(self) -> None:
        """Let go of the lock, by ending the session."""
        self._connection.terminate()

    async def try_to_lead(self) -> bool:
        return bool(await self._value("try_to_lead"))

    async def beat(self) -> None:
        """Show that this process lives, and make sure that it leads, for ever; raises LeadLost."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            if not await self._value("leads"):
                raise LeadLost("the lock is not held any more")

    async def _value(self, query: str, *arguments: Any) -> Any:
        return (await self._rows(query, *arguments))[0][0]

    async def _rows(self, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        async with self._turn:
            try:
                return await self._connection.fetch(self.queries[query], *arguments, timeout=ANSWER_SECONDS)
            except LOST as error:
                # also where the server only refused: whoever leads no more must not go on
                self._connection.terminate()
                raise LeadLost(
                    f"the session that held the lock is gone ({str(error) or type(error).__name__})"
                ) from error
