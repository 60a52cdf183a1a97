"""Rings when the ledger grows: LISTEN on a connection of its own, and a slow poll for what LISTEN may miss."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from services.ledger.ledger import LedgerUnavailable

RECONNECT_SECONDS = 0.2

_log = structlog.get_logger(__name__)


class Waiters:
    """Those who wait until the ledger holds a position."""

    def __init__(self) -> None:
        self.head = 0
        self.sent_home = False
        self._waiting: dict[asyncio.Future[None], int] = {}

    async def wait_for(self, position: int) -> int:
        """Return the head when it has risen to this position; there is no deadline here."""
        if self.head >= position:
            return self.head
        if self.sent_home:  # who was on the way here while it closed would wait for ever
            raise _closed()
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = position
        try:
            await waiter
        finally:
            del self._waiting[waiter]
        return self.head

    @property
    def anybody(self) -> bool:
        """Whether somebody waits now."""
        return bool(self._waiting)

    def rise(self, head: int) -> None:
        """The ledger's head is at least here: wake whom that concerns."""
        if head > self.head:
            self.head = head
            for waiter, position in self._waiting.items():
                if position <= head and not waiter.done():
                    waiter.set_result(None)

    def send_home(self) -> None:
        """Nothing will come any more: whoever still waits, or comes to wait, is told so."""
        self.sent_home = True
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(_closed())


async def in_time(waiting: Awaitable[object], seconds: float) -> bool:
    """Whether what is waited for came; False when the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        return False
    return True


def _closed() -> LedgerUnavailable:
    return LedgerUnavailable("this ledger was closed while somebody waited for it")


class Bell:
    """Wakes waiters when a position is in the ledger. A notification is only a hint: the head is read where it matters.

    The same question, asked every `poll_seconds`, is the connection's sign of life: where no answer comes, it is
    replaced. So a lost notification or connection costs latency and nothing else.
    """

    def __init__(self, dsn: str, head_query: str, poll_seconds: float, channel: str = "ledger") -> None:
        self._dsn = dsn
        self._head_query = head_query
        self._poll_seconds = poll_seconds
        self._channel = channel
        self._rung = asyncio.Event()
        self._waiters = Waiters()
        self._hinted = Waiters()
        self._task: asyncio.Task[None] | None = None

    async def wait_for(self, position: int) -> int:
        """Return the head when the ledger holds this position; there is no deadline here."""
        self._begin()
        if position > self._waiters.head:  # nobody may have looked since the last notification
            self._rung.set()
        return await self._waiters.wait_for(position)

    async def wait_for_a_hint(self, position: int) -> None:
        """Return as soon as somebody says that the ledger holds this position: whoever reads then saves one question.

        Any role of the database can say so, and it need not be true.
        """
        self._begin()
        await self._hinted.wait_for(position)

    async def close(self) -> None:
        """Stop listening; whoever still waits is told so."""
        self._waiters.send_home()
        self._hinted.send_home()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _begin(self) -> None:
        if self._task is None and not self._waiters.sent_home:
            self._task = asyncio.create_task(self._listen(), name="ledger bell")

    async def _listen(self) -> None:
        while True:
            try:
                connection = await asyncpg.connect(
                    self._dsn, timeout=self._poll_seconds + 5, server_settings={"application_name": "intabaza bell"}
                )
                try:
                    connection.add_termination_listener(self._ring)
                    await connection.add_listener(self._channel, self._hear)
                    await self._watch(connection)
                finally:
                    connection.terminate()
            except Exception as error:
                # Whatever it was: a bell that ended would leave its waiters waiting for ever.
                _log.warning("ledger_bell_reconnects", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _watch(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        while True:
            self._rung.clear()
            head = await connection.fetchrow(self._head_query, timeout=self._poll_seconds + 5)
            if head is not None:
                self._waiters.rise(head["position"])
                self._hinted.rise(head["position"])
            # not wait_for: before Python 3.12 it swallows a cancellation that comes with what it waits for, and whoever
            # closes this would wait for ever
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._rung.wait()

    def _hear(self, _connection: Any, _pid: int, _channel: str, said: object) -> None:
        if isinstance(said, str) and said.isdecimal():
            self._hinted.rise(int(said))
        if self._waiters.anybody:
            self._ring()

    def _ring(self, *_: Any) -> None:
        self._rung.set()
