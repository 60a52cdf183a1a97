"""The alerts as they come, for everybody who listens: read once, from the ledger, up to what the relay has had
acknowledged, and in order of position."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from services.ledger.ledger import Ledger, LedgerError, Recorded

MOST_WAITING = 1_000
"""Alerts that may wait for one listener; who is further behind is cut off, and comes back where they were."""

PAGE = 500
AGAIN_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class CutOff(Exception):
    """This listener is too slow, or the feed has ended; they may come back with the last id they saw."""


def frame(row: Recorded) -> bytes:
    """One alert as a server-sent event: its position as the id, the CloudEvent as the data."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (row.position, row.type.encode(), row.wire())


class Listener:
    """One who listens: what came since they joined, and has not been sent yet."""

    def __init__(self, joined_at: int) -> None:
        self.joined_at = joined_at
        self._frames: deque[bytes] = deque()
        self._rung = asyncio.Event()
        self._ended = False

    def offer(self, frames: list[bytes]) -> None:
        if self._ended:
            return
        self._frames.extend(frames)
        if len(self._frames) > MOST_WAITING:
            self._frames.clear()
            self._ended = True
        self._rung.set()

    def end(self) -> None:
        self._ended = True
        self._rung.set()

    async def next(self) -> bytes:
        """Everything that waits, as one piece; raises CutOff."""
        while not self._frames:
            if self._ended:
                raise CutOff
            self._rung.clear()
            await self._rung.wait()
        taken = b"".join(self._frames)
        self._frames.clear()
        return taken


class Progress(Protocol):
    """How far the relay is, as the feed asks for it (services/ledger/published)."""

    async def position(self) -> int: ...

    async def beyond(self, position: int) -> int: ...


class AlertFeed:
    """Follows the alerts once for all listeners of one process."""

    def __init__(self, ledger: Ledger, published: Progress) -> None:
        self._ledger = ledger
        self._published = published
        self._listeners: set[Listener] = set()
        self._head = 0
        self._ended = False

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    @property
    def head(self) -> int:
        """The position up to which the listeners were told."""
        return self._head

    async def begin(self) -> None:
        """Learn how far the relay is, before anybody joins; raises LedgerUnavailable."""
        self._head = await self._published.position()

    async def run(self) -> None:
        """Follow, for ever; while a server is away nobody hears anything and nothing is lost."""
        while True:
            try:
                until = await self._published.beyond(self._head)
                await self._tell(until)
            except LedgerError as error:
                _log.warning("alerts_wait_for_the_ledger", error=type(error).__name__)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _tell(self, until: int) -> None:
        while rows := await self._ledger.read_alerts(self._head, until, PAGE):
            frames = [frame(row) for row in rows]
            # Both without a wait in between: who joins sees either this head or these frames.
            self._head = rows[-1].position
            for listener in self._listeners:
                listener.offer(frames)
        self._head = until

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        """Join from here on."""
        listener = Listener(self._head)
        self._listeners.add(listener)
        if self._ended:
            listener.end()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def missed(self, after: int, listener: Listener) -> AsyncIterator[bytes]:
        """What came after a position and before this listener joined, page by page."""
        while rows := await self._ledger.read_alerts(after, listener.joined_at, PAGE):
            yield b"".join(frame(row) for row in rows)
            after = rows[-1].position

    def end(self) -> None:
        """Send everybody home: the process ends, and they come back to another one."""
        self._ended = True
        for listener in self._listeners:
            listener.end()
