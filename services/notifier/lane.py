"""One subscriber's way: what is decided for it, in order of position, each notice until it is delivered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

import asyncpg
import structlog

from events.alert import AlertIssued
from services.ledger.alerts import pages
from services.notifier.deciding import About, Attention
from services.notifier.lead import Held, Lead, LetGo, Sent, Tried
from services.notifier.memory import Memory
from services.notifier.metrics import Metrics
from services.notifier.notice import Notice, by_province, is_urgent
from services.notifier.recorder import Moved, Recorder
from services.notifier.retrying import Schedule
from services.notifier.sender import Answer, Sender
from services.notifier.slots import SLOW_SECONDS, Slots
from services.notifier.tail import PAGE, Tail
from services.subscribers.filters import Filters, Manner, PublicEvent
from services.subscribers.register import filters_of, manner_of
from services.subscribers.secrets import Signer
from services.vault.master import MasterKey
from services.vault.refused import MasterKeyRefused

GONE = "it answered 410: it wants nothing more"
NOBODY_ELSE = 10
"""After so many times the limit of failing tries one is disabled also where nobody else's receiver could be reached: an
outage of ours disables nobody, and who never comes back is not to be tried for ever."""

HeldBack: TypeAlias = Mapping[About, PublicEvent]

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
    manner: Manner
    signers: list[Signer] = field(repr=False)
    memory: Memory

    @classmethod
    def of(
        cls, row: asyncpg.Record, secrets: Sequence[asyncpg.Record], memory: Memory, master: MasterKey
    ) -> Destination:
        """From its row and those of its secrets; without a signer where none can be opened."""
        subscriber_id = row["subscriber_id"]
        signers = []
        for secret_id, sealed, version, ends_at in secrets:
            try:
                secret = master.open_webhook_secret(subscriber_id, secret_id, sealed, version)
            except MasterKeyRefused:
                continue
            signers.append(Signer(secret, ends_at))
        names = ("url", "version", "resends", "position", "attempts")
        return cls(
            subscriber_id,
            **{name: row[name] for name in names},
            wait_seconds=row["again_in_seconds"],
            filters=filters_of(row),
            manner=manner_of(row),
            signers=signers,
            memory=memory,
        )


@dataclass(frozen=True, slots=True)
class Means:
    """What all lanes of one lead send with."""

    lead: Lead
    tail: Tail
    recorder: Recorder
    sender: Sender
    slots: Slots
    schedule: Schedule
    most_tries: int
    chance: Callable[[], float]
    metrics: Metrics


class Lane:
    """Sends to one subscriber until it is ended, or nothing more may be sent."""

    def __init__(self, means: Means, destination: Destination) -> None:
        self._means = means
        self._to = destination
        self._seen = self._passed = destination.position
        memory = destination.memory
        self._held: HeldBack = dict(memory.held)
        """What is held back where it has come to, as it is written down; `_decided`: as far as it was decided."""
        self._decided = self._held
        self._let_go: list[LetGo] = list(memory.let_go)
        self._attention = Attention(
            destination.filters,
            means.tail.stands,
            destination.manner.inhibits,
            dict(memory.believed),
            dict(memory.held),
            dict(memory.silences),
        )
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
            await self._begin()
            while not self._ending.is_set():
                await self._go_on()
        except (Disabled, Moved):
            pass
        finally:
            self.waiting = ()

    async def _begin(self) -> None:
        """What nothing holds back any more is sent first: whoever ran before may have been ended before it came to it.

        The gazetteer is known once there is anything to read.
        """
        await self._means.tail.begun()
        released = self._attention.release(self._means.tail.gazetteer)
        await self._tell(released, self._held_back(self._seen), self._seen)

    async def _go_on(self) -> None:
        if self._to.manner.by_province:
            await self._gather()
            return
        until = await self._means.tail.beyond(self._seen)
        async for page in pages(self._means.tail.events, self._seen, until, PAGE):
            decided = [(event, *self._decide(event)) for event in page]
            self.waiting = [one for _, wanted, _ in decided for one in wanted]
            for event, wanted, held in decided:
                await self._tell(wanted, held, event.position, event)
                if self._ending.is_set():
                    return
            await self._pass_by(page[-1].position, decided[-1][2])
        self._seen = max(self._seen, until)

    async def _gather(self) -> None:
        """Collect what comes until the time is over since the first of it, or somewhere is a crisis; then send it."""
        loop = asyncio.get_running_loop()
        wanted: list[PublicEvent] = []
        position, ends, held = self._seen, None, self._held
        while ends is None or loop.time() < ends:
            try:
                async with asyncio.timeout_at(ends):
                    until = await self._means.tail.beyond(position)
            except TimeoutError:
                break
            async for page in pages(self._means.tail.events, position, until, PAGE):
                for event in page:
                    more, held = self._decide(event)
                    wanted.extend(more)
                position = page[-1].position
            position = max(position, until)
            self.waiting = wanted
            if not wanted:
                await self._pass_by(position, held)
            elif any(map(is_urgent, wanted)) or len(wanted) >= PAGE:
                break
            elif ends is None:
                ends = loop.time() + self._to.manner.wait_seconds
        await self._tell(wanted, held, position)

    def _decide(self, event: PublicEvent) -> tuple[list[PublicEvent], HeldBack]:
        """What is to be sent now, and what is held back then."""
        wanted = self._attention.take(event, self._means.tail.gazetteer)
        if (delivered := self._to.memory.tried.get(event.position)) is not None:
            self._attention.was_tried(event, delivered=delivered)
        return wanted, self._held_back(event.position)

    def _held_back(self, at: int) -> HeldBack:
        """What is held back now that this position is decided; what no longer is, is noted as let go there."""
        before, self._decided = self._decided, dict(self._attention.held)
        for about, alert in before.items():
            if self._decided.get(about) is not alert:
                self._let_go.append(LetGo(about.unit, about.mode, alert.position, at))
        return self._decided

    async def _tell(
        self, wanted: Sequence[PublicEvent], held: HeldBack, position: int, event: PublicEvent | None = None
    ) -> None:
        """Send these, and pass by what was decided up to a position; `event` is the one that stands there."""
        for notice in self._notices(wanted, event):
            if self._seen < self._passed < position:
                await self._pass_by(self._passed, self._held)
            await self._deliver(notice)
            if self._ending.is_set():
                return
            self.waiting = [one for one in self.waiting if one not in notice.events]
        if self._to.manner.by_province or event is None or held != self._held:
            await self._pass_by(position, held)
        self._passed = position

    def _notices(self, wanted: Sequence[PublicEvent], event: PublicEvent | None) -> list[Notice]:
        if not self._to.manner.by_province:
            return [Notice([one], cursor=one.position if one is event else None) for one in wanted]
        fresh = [one for one in wanted if not self._to.memory.tried.get(one.position)]
        return by_province(fresh, self._means.tail.gazetteer)

    async def _pass_by(self, position: int, held: HeldBack) -> None:
        """Have come to a position, with this held back. Raises Moved."""
        let_go = [one for one in self._let_go if one.at <= position]
        if self._seen < position or held != self._held or let_go:
            kept = [Held(about.unit, about.mode, alert.position) for about, alert in held.items()]
            if not await self._means.lead.pass_by(self._to.subscriber_id, self._to.version, position, kept, let_go):
                raise Moved
            self._let_go = [one for one in self._let_go if one.at > position]
            self._seen, self._held = max(self._seen, position), held

    async def _deliver(self, notice: Notice) -> None:
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
                    answer = await self._means.sender.send(self._to.url, self._to.signers, notice, self._hear)
                    await self._record(notice, answer)
                finally:
                    self.sending = self.answered = False
            if answer.delivered:
                self._seen = max(self._seen, notice.cursor or 0)
                return

    def _ends_by(self, answer: Answer) -> str | None:
        """Why nothing more is to be sent, whatever the hours that count."""
        if answer.gone:
            return GONE
        if self._failures >= self._means.most_tries:
            return f"nothing could be delivered in {self._failures} tries: {answer.error}"
        return None

    def _hear(self) -> None:
        self.answered = True

    async def _record(self, notice: Notice, answer: Answer) -> None:
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
                notice.cursor,
                answer.delivered,
                answer.status,
                answer.public,
                answer.error,
                delay,
                self._ends_by(answer),
                [self._sent(event) for event in notice.events],
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
                position=notice.events[0].position,
                attempt=self._failures,
                error=answer.error,
                again_in_seconds=round(delay, 1),
            )

    def _sent(self, event: PublicEvent) -> Sent:
        if event.row.type != AlertIssued.name:
            return Sent(event.position, event.row.event_id, None, None, None, None)
        said = event.data["unit"], event.mode, event.level, self._means.tail.stands(event)
        return Sent(event.position, event.row.event_id, *said)
