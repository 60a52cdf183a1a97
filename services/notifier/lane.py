"""One subscriber's way: what its filters take, in order of position, one at a time, each until it is delivered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import structlog

from services.ledger.alerts import pages
from services.notifier.lead import Lead, Tried
from services.notifier.metrics import Metrics
from services.notifier.recorder import Moved, Recorder
from services.notifier.retrying import Schedule
from services.notifier.sender import Answer, Sender
from services.notifier.slots import SLOW_SECONDS, Slots
from services.notifier.tail import PAGE, Tail
from services.subscribers.filters import Filters, PublicEvent
from services.subscribers.register import filters_of
from services.subscribers.secrets import Signer
from services.vault.master import MasterKey
from services.vault.refused import MasterKeyRefused

GONE = "it answered 410: it wants nothing more"

_log = structlog.get_logger(__name__)


class Disabled(Exception):
    """Nothing more is sent to this subscriber."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A subscriber as it stood when its lane began."""

    subscriber_id: UUID
    url: str = field(repr=False)
    version: int
    resends: int
    position: int
    attempts: int
    wait_seconds: float
    filters: Filters
    signers: list[Signer] = field(repr=False)

    @classmethod
    def of(cls, row: asyncpg.Record, secrets: Sequence[asyncpg.Record], master: MasterKey) -> Destination:
        """From its row and those of its secrets; without a signer where none can be opened."""
        subscriber_id = row["subscriber_id"]
        signers = []
        for secret_id, sealed, version, ends_at in secrets:
            try:
                secret = master.open_webhook_secret(subscriber_id, secret_id, sealed, version)
            except MasterKeyRefused:
                continue
            signers.append(Signer(secret, ends_at))
        names = ("url", "version", "resends", "position", "attempts", "wait_seconds")
        return cls(subscriber_id, **{name: row[name] for name in names}, filters=filters_of(row), signers=signers)


@dataclass(frozen=True, slots=True)
class Means:
    """What all lanes of one lead send with."""

    lead: Lead
    tail: Tail
    recorder: Recorder
    sender: Sender
    slots: Slots
    schedule: Schedule
    chance: Callable[[], float]
    metrics: Metrics


class Lane:
    """Sends to one subscriber until it is ended, or nothing more may be sent."""

    def __init__(self, means: Means, destination: Destination) -> None:
        self._means = means
        self._to = destination
        self._seen = destination.position
        self._failures = destination.attempts
        # never longer than was ever decided, whatever the database's clock was set to meanwhile
        wait = min(max(destination.wait_seconds, 0.0), means.schedule.longest)
        self._due = asyncio.get_running_loop().time() + wait
        self._slow = destination.attempts > 0
        self._ending = asyncio.Event()
        self.sending = False
        self.answered = False
        """Whether what came of a try is known, and still to be recorded."""
        self.waiting: Sequence[PublicEvent] = ()
        """What is to be sent, as far as it was read."""

    @property
    def version(self) -> int:
        return self._to.version

    def end(self) -> None:
        """Begin nothing more; what is being sent is ended and recorded."""
        self._ending.set()

    async def run(self) -> None:
        """Send, for ever; returns when it is to send nothing more."""
        try:
            while not self._ending.is_set():
                await self._go_on()
        except (Disabled, Moved):
            pass
        finally:
            self.waiting = ()

    async def _go_on(self) -> None:
        until = await self._means.tail.beyond(self._seen)
        async for page in pages(self._means.tail.events, self._seen, until, PAGE):
            self.waiting = await self._wanted(page)
            while self.waiting:
                await self._deliver(self.waiting[0])
                self.waiting = self.waiting[1:]
                if self._ending.is_set():
                    return
            if self._seen < page[-1].position:
                self._seen = page[-1].position
                await self._means.lead.pass_by(self._to.subscriber_id, self._to.version, self._seen)
        self._seen = max(self._seen, until)

    async def _wanted(self, page: Sequence[PublicEvent]) -> list[PublicEvent]:
        """What its filters take, and whatever takes back what it was told."""
        wanted: list[PublicEvent] = []
        for event in page:
            if self._to.filters.take(event, self._means.tail.gazetteer) or await self._amends_what_was_told(
                event, wanted
            ):
                wanted.append(event)
        return wanted

    async def _amends_what_was_told(self, event: PublicEvent, before: Sequence[PublicEvent]) -> bool:
        if event.amended is None:
            return False
        if any(one.row.stream == event.row.stream for one in before):
            return True
        return await self._means.tail.told_before(self._to.subscriber_id, event)

    async def _deliver(self, event: PublicEvent) -> None:
        """Try until it is delivered; raises Disabled, Moved, LeadLost."""
        loop = asyncio.get_running_loop()
        while not self._ending.is_set():
            if (wait := self._due - loop.time()) > 0:
                await asyncio.sleep(wait)
            async with self._means.slots.line(slow=self._slow):
                if self._ending.is_set():
                    return
                await self._means.lead.until_sure()
                self.sending = True
                try:
                    answer = await self._means.sender.send(self._to.url, self._to.signers, event, self._hear)
                    await self._record(event, answer)
                finally:
                    self.sending = self.answered = False
            if answer.delivered:
                self._seen = event.position
                return

    def _hear(self) -> None:
        self.answered = True

    async def _record(self, event: PublicEvent, answer: Answer) -> None:
        subscriber_id = self._to.subscriber_id
        self._failures = 0 if answer.delivered else self._failures + 1
        self._slow = not answer.delivered or answer.seconds > SLOW_SECONDS
        delay = 0.0
        if not answer.delivered:
            delay = self._means.schedule.delay(self._failures, self._means.chance(), answer.asked)
        self._means.metrics.tried(subscriber_id, delivered=answer.delivered)
        because = await self._means.recorder.record(
            Tried(
                subscriber_id,
                self._to.version,
                self._to.resends,
                event.position,
                event.row.event_id,
                answer.delivered,
                answer.status,
                answer.public,
                answer.error,
                delay,
                GONE if answer.gone else None,
            )
        )
        self._due = asyncio.get_running_loop().time() + delay
        if because is not None:
            _log.warning("subscriber_disabled", subscriber=str(subscriber_id), because=because)
            self._means.metrics.disabled_one()
            raise Disabled
        if not answer.delivered:
            _log.info(
                "webhook_failed",
                subscriber=str(subscriber_id),
                position=event.position,
                attempt=self._failures,
                error=answer.error,
                again_in_seconds=round(delay, 1),
            )
