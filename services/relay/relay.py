"""The relay's life: wait for the lead, look how Kafka ends, send on; at the first doubt look again.

waits for the lead ──► start procedure ──► sends batch after batch ──► (anything unexpected) ──► start procedure
                             │                                         (the lead is lost)    ──► waits for the lead
                             └─► halted, with a sentence, until the world or an operator has changed something
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog
from kafka import TopicPartition

from services.database.lead import TRY_SECONDS, LeadLost
from services.ledger.ledger import LedgerError, LedgerUnavailable, Recorded
from services.ledger.postgres import PostgresLedger
from services.relay.brokers import BrokerAway
from services.relay.chain import BATCH_EVENTS, Batch, Chains, Place
from services.relay.halts import Halt, KafkaKnowsMore, LedgerDamaged
from services.relay.leader import Leadership
from services.relay.metrics import Metrics
from services.relay.republish import WantedAnew, make_anew
from services.relay.sender import Sender, SendingFailed
from services.relay.start import Standing, find_standing
from services.relay.tail import topic_ids

PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 2.0
LOOK_SECONDS = 5.0
"""How often a halted relay looks whether it may go on, and any other whether it is asked for anything."""

_log = structlog.get_logger(__name__)

Beside = Callable[[Leadership], Awaitable[None]]
"""Something else that only the leader does, for as long as it leads."""


class Relay:
    """One process's relay; of several, one leads and the others wait to."""

    def __init__(
        self,
        ledger: PostgresLedger,
        dsn: str,
        bootstrap: str,
        *,
        partitions: int,
        replication: int = -1,
        metrics: Metrics | None = None,
        beside: Sequence[Beside] = (),
    ) -> None:
        self._ledger = ledger
        self._dsn = dsn
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._replication = replication
        self._metrics = metrics or Metrics()
        self._beside = beside

    async def run(self) -> None:
        """Relay for ever; cancel it to end it."""
        away = False
        while True:
            try:
                lead = await Leadership.connect(self._dsn)
            except LeadLost as error:
                if not away:
                    _log.warning("relay_waits_for_the_database", because=str(error))
                away = True
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            away = False
            try:
                if not await lead.try_to_lead():
                    _log.info("relay_stands_by")
                    while not await lead.try_to_lead():  # noqa: ASYNC110 - the lock of a database rings no bell
                        await asyncio.sleep(TRY_SECONDS)
                _log.info("relay_leads")
                await self._lead(lead)
            except LeadLost as error:
                _log.warning("relay_leads_no_more", because=str(error))
            finally:
                self._metrics.leads(False)
                self._metrics.goes_on()  # whoever leads next says why nothing is sent, if nothing is
                lead.end()

    async def _lead(self, lead: Leadership) -> None:
        """Do everything that the leader does until one part of it ends, which is when the lead is lost."""
        self._metrics.leads(True)
        parts = [lead.beat(), self._relay(lead), self._metrics.watch(lead), *(beside(lead) for beside in self._beside)]
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _relay(self, lead: Leadership) -> None:
        pause, waits_for = 0.0, ""
        while True:
            try:
                await make_anew(lead, self._bootstrap, self._partitions, self._replication)
                sender, standing = await self._start(lead)
            except (BrokerAway, SendingFailed, LedgerUnavailable) as error:
                if waits_for != (waits_for := type(error).__name__):
                    _log.warning("relay_waits", because=str(error))
                pause = min(pause + PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(pause)
                continue
            except Halt as halt:
                waits_for = ""
                await self._halt(lead, halt)
                continue
            pause, waits_for = 0.0, ""
            try:
                await self._send_on(lead, sender, standing)
            except (SendingFailed, LedgerUnavailable, WantedAnew) as error:
                self._metrics.restarts.inc()
                _log.warning("relay_starts_again", because=str(error))
            except Halt as halt:
                await self._halt(lead, halt)
            finally:
                sender.throw_away()  # what it still held must not be sent later

    async def _start(self, lead: Leadership) -> tuple[Sender, Standing]:
        """The start procedure. The producer is connected first: what happens to a broker after the look is noticed."""
        try:
            sender = await Sender.connect(self._bootstrap)
        except SendingFailed:
            await asyncio.to_thread(topic_ids, self._bootstrap, self._partitions)  # it says which topic is absent
            raise
        try:
            standing = await find_standing(self._bootstrap, self._partitions, self._ledger, lead)
            await lead.save(standing.topic_ids, standing.places, 0)
            if await lead.shut_the_door():
                await self._ledger.open_door()
                _log.info("relay_opens_the_door", hint="Kafka and the ledger agree again")
            await lead.note_halt(None, None)
        except BaseException:
            sender.throw_away()
            raise
        self._metrics.goes_on()
        sender.begin(standing.places)
        _log.info("relay_sends", after=standing.after_position)
        return sender, standing

    async def _halt(self, lead: Leadership, halt: Halt) -> None:
        """Say why nothing is sent, once, and wait a little before the next look."""
        because = str(halt)
        if self._metrics.halted_because != because:
            _log.error("relay_halts", because=because)
        self._metrics.halt(because)
        if isinstance(halt, KafkaKnowsMore):
            with suppress(LedgerError):  # it is tried again at the next look
                await self._ledger.shut_door(because)
        stands = await lead.standing()
        # also where it could not be shut anew: what is forgotten to be ours nobody opens
        ours = stands["door_is_the_relays"] or stands["door_shut_because"] == because
        door = stands["door_shut_because"] if ours else None
        await lead.note_halt(because, door)
        for _ in range(round(LOOK_SECONDS / PAUSE_SECONDS)):
            await asyncio.sleep(PAUSE_SECONDS)
            if await lead.republications():
                return

    async def _send_on(self, lead: Leadership, sender: Sender, standing: Standing) -> None:
        chains = Chains(self._partitions, standing.places)
        places, through = dict(standing.places), standing.after_position
        rows, looked_at = await self._read(through), time.monotonic()
        while True:
            if time.monotonic() - looked_at > LOOK_SECONDS:  # however much there is to send
                await self._look(lead)
                looked_at = time.monotonic()
            behind = len(rows) >= BATCH_EVENTS
            read_to = rows[-1].position if rows else through
            batches = chains.batches(rows, through)
            # the next rows are read while these are on their way; when there are none yet, while it is saved that these
            # have arrived: nothing is sent before that, since whoever cannot save leads no more
            ahead = asyncio.ensure_future(self._read(read_to)) if behind else None
            try:
                for batch in batches:
                    await self._send(sender, places, batch)
                    if ahead is None and batch is batches[-1]:
                        ahead = asyncio.ensure_future(self._read(read_to))
                    await self._save(lead, standing, places, batch)
                    through = batch.through
                assert ahead is not None
                rows = await ahead or await self._next(lead, read_to)
            finally:
                if ahead is not None:
                    ahead.cancel()

    async def _send(self, sender: Sender, places: dict[TopicPartition, Place], batch: Batch) -> None:
        if batch.records:
            for at, end in (await sender.send(batch)).items():
                places[at] = Place(batch.last[at], end, end)

    async def _save(
        self, lead: Leadership, standing: Standing, places: dict[TopicPartition, Place], batch: Batch
    ) -> None:
        await lead.save(standing.topic_ids, {at: places[at] for at in batch.counts}, batch.through)
        self._metrics.acknowledged.set(batch.through)

    async def _next(self, lead: Leadership, after: int) -> Sequence[Recorded]:
        """The next rows, as soon as there are some."""
        wait = self._ledger.wait_for_a_hint
        while True:
            if not await wait(after + 1, LOOK_SECONDS):
                await self._look(lead)
            if rows := await self._read(after):
                return rows
            wait = self._ledger.wait_for  # the hint was none, or it is nothing new that came

    async def _look(self, lead: Leadership) -> None:
        """Raises WantedAnew where an operator wants a topic made anew, with which the start procedure begins."""
        if await lead.republications():
            raise WantedAnew("a topic is to be made anew")

    async def _read(self, after: int) -> Sequence[Recorded]:
        rows = await self._ledger.read(after, BATCH_EVENTS)
        for expected, row in enumerate(rows, after + 1):
            if row.position != expected:
                raise LedgerDamaged(expected, row.position)
        return rows
