"""The notifier: one leads and runs a lane for each subscriber, others stand by for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from random import random
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from services import clock
from services.database.lead import TRY_SECONDS, LeadLost
from services.database.lost import LOST
from services.ledger.alerts import Progress
from services.ledger.ledger import LedgerError
from services.notifier.lane import NOBODY_ELSE, Destination, Lane, Means
from services.notifier.lead import SQL, Lead
from services.notifier.memory import Memory
from services.notifier.metrics import Metrics
from services.notifier.recorder import Recorder
from services.notifier.retrying import Schedule
from services.notifier.sender import Sender
from services.notifier.slots import Slots
from services.notifier.tail import Tail
from services.vault.master import MasterKey

LOOK_SECONDS = 5.0
"""How often subscribers are looked at where nobody told of a change."""

WATCH_SECONDS = 1.0
DRAIN_SECONDS = 2.0
"""How long what is being sent may take when the process ends; what is cut off is sent again by the next one."""

RECORD_SECONDS = 1.5
"""How much longer for what was answered by then: it is recorded, so that the next one does not send it again."""

CANCEL_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class Notifier:
    """Sends for one deployment, for as long as `run` does; it belongs to one event loop."""

    def __init__(
        self,
        dsn: str,
        pool: asyncpg.Pool[asyncpg.Record],
        published: Progress,
        sender: Sender,
        master: MasterKey,
        *,
        schedule: Schedule,
        give_up: timedelta,
        at_once: int,
        metrics: Metrics | None = None,
        chance: Callable[[], float] = random,
    ) -> None:
        self._dsn = dsn
        self._pool = pool
        self._published = published
        self._sender = sender
        self._master = master
        self._schedule = schedule
        self._give_up = give_up
        self._at_once = at_once
        self._metrics = metrics or Metrics()
        self._chance = chance
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Begin nothing more; `run` returns as soon as what is being sent has ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Lead, or stand by to lead, until it is stopped."""
        told = False
        while not self._stopping.is_set():
            try:
                lead = await Lead.connect(self._dsn)
                try:
                    if await self._try_to_lead(lead):
                        _log.info("notifier_leads")
                        self._metrics.leader.set(1)
                        told = False
                        await self._lead_on(lead)
                finally:
                    self._metrics.leader.set(0)
                    lead.end()
            except LeadLost as error:
                if not told:
                    _log.warning("notifier_does_not_lead", because=str(error))
                told = True
                await self._or_stopped(TRY_SECONDS)

    async def _try_to_lead(self, lead: Lead) -> bool:
        told = False
        while not self._stopping.is_set():
            if await lead.try_to_lead():
                return True
            if not told:
                _log.info("notifier_stands_by")
            told = True
            await self._or_stopped(TRY_SECONDS)
        return False

    async def _or_stopped(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _lead_on(self, lead: Lead) -> None:
        """Send until it is stopped; raises LeadLost."""
        tail, recorder = Tail(self._pool, self._published), Recorder(lead, self._give_up)
        slots = Slots(self._at_once)
        most_tries = self._schedule.tries_in(NOBODY_ELSE * self._give_up.total_seconds())
        means = Means(
            lead, tail, recorder, self._sender, slots, self._schedule, most_tries, self._chance, self._metrics
        )
        lanes = Lanes(self._pool, self._master, means)
        following = asyncio.create_task(lanes.run())
        parts = [following, *(asyncio.create_task(one) for one in (lead.beat(), tail.run(), recorder.run()))]
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait([*parts, stopped], return_when=asyncio.FIRST_COMPLETED)
            for part in done - {stopped}:
                part.result()
            await _cancel(following)  # else it would begin every lane anew that ends
            await lanes.drain()
        finally:
            await lanes.cut_off()
            await _cancel(*parts, stopped)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these, and wait for them; not for one that a database which hangs keeps from ending."""
    for task in tasks:
        task.cancel()
    done, _ = await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
    for task in done:
        if not task.cancelled():
            task.exception()


class Lanes:
    """The lanes of one lead: one for each subscriber that is not disabled, begun anew when a person changed it."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], master: MasterKey, means: Means) -> None:
        self._pool = pool
        self._master = master
        self._means = means
        self._lanes: dict[UUID, tuple[Lane, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Follow what people do to subscribers, for ever."""
        watching = asyncio.create_task(self._watch())
        changed = self._means.lead.changed
        try:
            while True:
                changed.clear()
                try:
                    await self._look()
                except LOST as error:
                    _log.warning("subscribers_cannot_be_read", error=type(error).__name__)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await changed.wait()
        finally:
            watching.cancel()

    async def _look(self) -> None:
        versions = {row["subscriber_id"]: row["version"] for row in await self._pool.fetch(SQL["versions"])}
        self._means.metrics.are_disabled(await self._pool.fetchval(SQL["disabled"]))
        for subscriber_id, (lane, task) in list(self._lanes.items()):
            if task.done():
                del self._lanes[subscriber_id]
            elif versions.get(subscriber_id) != lane.version:
                self._end(lane, task)  # seen as done at the next look, which comes when it is
        for subscriber_id in versions.keys() - self._lanes.keys():
            await self._begin(subscriber_id)

    async def _begin(self, subscriber_id: UUID) -> None:
        # Both at one moment: a secret that is made in between belongs to another version.
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            row = await connection.fetchrow(SQL["load"], subscriber_id)
            if row is None:
                return
            secrets = await connection.fetch(SQL["secrets"], subscriber_id)
            memory = await Memory.read(connection, row)
        lane = Lane(self._means, Destination.of(row, secrets, memory, self._master))
        task = asyncio.create_task(lane.run(), name=f"lane {subscriber_id}")
        task.add_done_callback(self._ended)
        self._lanes[subscriber_id] = lane, task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Begin it anew at once, unless it failed in a way that nobody foresaw: then at the next look."""
        if task.cancelled() or (error := task.exception()) is None:
            self._means.lead.changed.set()
        elif not isinstance(error, (LeadLost, LedgerError)):
            _log.error("lane_failed", exc_info=error)

    @staticmethod
    def _end(lane: Lane, task: asyncio.Task[None]) -> None:
        """Let what is being sent come to its end, and begin nothing more."""
        lane.end()
        if not lane.sending:
            task.cancel()

    async def _watch(self) -> None:
        while True:
            waiting = {
                subscriber_id: (len(lane.waiting), lane.waiting[0].row.recorded_at if lane.waiting else None)
                for subscriber_id, (lane, _) in self._lanes.items()
            }
            self._means.metrics.stand(waiting, clock.now())
            await asyncio.sleep(WATCH_SECONDS)

    async def drain(self) -> None:
        """End every lane, and wait for what is being sent, and longer for what is only to be recorded."""
        for lane, task in self._lanes.values():
            self._end(lane, task)
        for seconds in (DRAIN_SECONDS, RECORD_SECONDS):
            if tasks := [task for _, task in self._lanes.values() if not task.done()]:
                await asyncio.wait(tasks, timeout=seconds)
            for lane, task in self._lanes.values():
                if not lane.answered:
                    task.cancel()

    async def cut_off(self) -> None:
        """End every lane now."""
        if tasks := [task for _, task in self._lanes.values()]:
            await _cancel(*tasks)
