"""What came of tries is written together: whoever finished while a group was being written is in the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from uuid import UUID

from services.notifier.lead import Lead, Tried

MOST = 500


class Moved(Exception):
    """This subscriber is to be sent to again, from another position, or elsewhere: what comes next is read anew."""


class Recorder:
    """Groups records for one lead; `run` writes them until the lead is lost."""

    def __init__(self, lead: Lead, give_up: timedelta) -> None:
        self._lead = lead
        self._give_up = give_up
        self._waiting: deque[tuple[Tried, asyncio.Future[str | None]]] = deque()
        self._rung = asyncio.Event()

    async def record(self, tried: Tried) -> str | None:
        """Return when it is written: why the subscriber is disabled now, if it is. Raises Moved."""
        written: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((tried, written))
        self._rung.set()
        return await written

    async def run(self) -> None:
        """Write, for ever; raises LeadLost."""
        while True:
            await self._rung.wait()
            self._rung.clear()
            while self._waiting:
                await self._write(self._group())

    def _group(self) -> list[tuple[Tried, asyncio.Future[str | None]]]:
        """The next ones, each of another subscriber: one statement updates no row twice."""
        group: dict[UUID, tuple[Tried, asyncio.Future[str | None]]] = {}
        while self._waiting and len(group) < MOST and self._waiting[0][0].subscriber_id not in group:
            tried, written = self._waiting.popleft()
            group[tried.subscriber_id] = tried, written
        return list(group.values())

    async def _write(self, group: list[tuple[Tried, asyncio.Future[str | None]]]) -> None:
        stand = await self._lead.record([tried for tried, _ in group], self._give_up)
        for tried, written in group:
            if written.done():
                continue
            if tried.subscriber_id in stand:
                written.set_result(stand[tried.subscriber_id])
            else:
                written.set_exception(Moved())
