"""The alerts as they come, for everybody who listens: read once, from the ledger, up to what the relay has had
acknowledged, and in order of position."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from services.ledger.alerts import Alerts, Progress, pages
from services.ledger.ledger import Recorded

MOST_WAITING = 1_000
"""Alerts that may wait for one listener; who is further behind is cut off, and comes back where they were."""

PIECE_BYTES = 65_536
"""What is handed over at once: so much waits in memory for each client who does not take it."""

PAGE = 500
MISSED_PAGE = 50
AGAIN_SECONDS = 0.5
LEAVE_SECONDS = 1.0
"""How long who is sent home may take to go; then the connection is broken off."""

_log = structlog.get_logger(__name__)


class CutOff(Exception):
    """This listener is too slow, or the feed has ended; they may come back with the last id they saw."""


def frame(row: Recorded) -> bytes:
    """One alert as a server-sent event: its position as the id, the CloudEvent as the data."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (row.position, row.type.encode(), row.wire())


class Listener:
    """One who listens: what came since they joined, and has not been sent yet."""

    def __init__(self, joined_at: int, after: int, break_off: Callable[[], None]) -> None:
        self.joined_at = joined_at
        self.break_off = break_off
        self.ended = False
        self._after = after
        self._frames: deque[bytes] = deque()
        self._rung = asyncio.Event()

    def offer(self, positions: Sequence[int], frames: Sequence[bytes]) -> None:
        """Here is what came, in order. Who was told by an API that was further hears only what comes after it."""
        if self.ended:
            return
        self._frames.extend(frames[bisect_right(positions, self._after) :])
        if len(self._frames) > MOST_WAITING:
            self._frames.clear()
            self.ended = True
        self._rung.set()

    def end(self) -> None:
        self.ended = True
        self._rung.set()

    async def next(self) -> bytes:
        """What waits, as one piece of a bounded size; raises CutOff."""
        while not self._frames:
            if self.ended:
                raise CutOff
            self._rung.clear()
            await self._rung.wait()
        taken = [self._frames.popleft()]
        size = len(taken[0])
        while self._frames and (size := size + len(self._frames[0])) <= PIECE_BYTES:
            taken.append(self._frames.popleft())
        return b"".join(taken)


class AlertFeed:
    """Follows the alerts once for all listeners of one process."""

    def __init__(self, ledger: Alerts, published: Progress) -> None:
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
            except Exception as error:
                # Whatever it was: a feed that ended would leave everybody listening to heartbeats for ever.
                _log.warning("alerts_wait_for_the_ledger", exc_info=error)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _tell(self, until: int) -> None:
        async for rows in pages(self._ledger.read_alerts, self._head, until, PAGE):
            positions, frames = [row.position for row in rows], [frame(row) for row in rows]
            # Both without a wait in between: who joins sees either this head or these frames.
            self._head = rows[-1].position
            for listener in self._listeners:
                listener.offer(positions, frames)
        self._head = until

    @contextmanager
    def listen(self, after: int = 0, break_off: Callable[[], None] = lambda: None) -> Iterator[Listener]:
        """Join from here on, or from a position that may be further; `break_off` ends who does not go when told."""
        listener = Listener(self._head, after, break_off)
        self._listeners.add(listener)
        if self._ended:
            listener.end()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def missed(self, after: int, listener: Listener) -> AsyncIterator[bytes]:
        """What came after a position and before this listener joined, page by page; raises CutOff."""
        async for rows in pages(self._ledger.read_alerts, after, listener.joined_at, MISSED_PAGE):
            if listener.ended:
                raise CutOff
            yield b"".join(frame(row) for row in rows)

    def end(self) -> None:
        """Send everybody home: the process ends, and they come back to another one."""
        self._ended = True
        for listener in self._listeners:
            listener.end()
        asyncio.get_running_loop().call_later(LEAVE_SECONDS, self._break_off)

    def _break_off(self) -> None:
        for listener in list(self._listeners):
            listener.break_off()
