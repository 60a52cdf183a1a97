"""Time as events: the leader appends `clock.ticked`, by the ledger's clock and never its own.

A tick's ids follow from its nominal moment, so a second leader repeats and never doubles. It is appended here and not
through the desk, since a clock has no person, no secret and nothing to seal: the relay needs no key of the vault.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from uuid import UUID

import structlog

from events import reference
from events.envelope import Draft, canonical, event_id, named_id
from events.event import Act
from events.reference import Register, Tick, TickReason
from events.vocabulary import EVERY_HOME, Actor, Role, wire_time
from services.ledger.ledger import Accepted, Append, Entry, Ledger, LedgerError, Submission
from services.relay.leader import Leadership
from services.relay.moments import moment_to_tick

LOOK_SECONDS = 1.0
STREAM = "reference/clock"
NOBODY = UUID("4d0cc2a8-6d1b-8f0e-9d55-0a7b2f6e1c30")
"""The actor and the namespace of all ticks."""

Due = Callable[[datetime], Awaitable[datetime | None]]
"""The earliest moment after the last tick at which something falls due, or None."""

_log = structlog.get_logger(__name__)


async def nothing_is_due(last: datetime) -> datetime | None:
    """For who has no projections."""
    return None


class Ticker:
    """Looks every second, and when a simulated clock is set, whether a moment has passed; runs beside the relay."""

    def __init__(
        self,
        ledger: Ledger,
        zone: tzinfo,
        source: str,
        due: Due = nothing_is_due,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._zone = zone
        self._source = source
        self._due = due
        self._look_seconds = look_seconds

    async def __call__(self, lead: Leadership) -> None:
        """Tick for ever; raises LeadLost."""
        told = ""
        while True:
            try:
                await self.tick(lead)
                told = ""
            except LedgerError as error:
                # lost a race (the next look sees the winner), a door that is shut, a clock in doubt, no database
                if told != (told := type(error).__name__):
                    _log.warning("relay_does_not_tick", because=str(error))
            await lead.wait_for_the_clock(self._look_seconds)

    async def tick(self, lead: Leadership) -> Accepted | None:
        """Append the tick of a moment that has passed, if there is one; an empty ledger is for others to begin."""
        now = await lead.ledger_clock()
        if now is None:
            return None
        version, last = await lead.last_tick()
        wanted = moment_to_tick(now, last, await self._due(last), self._zone)
        if wanted is None:
            return None
        return await self._ledger.append(self._submission(*wanted, now, version))

    def _submission(self, nominal: datetime, reason: TickReason, now: datetime, version: int) -> Submission:
        name = f"{reason.value} {wire_time(nominal)}"
        command_id, mac = named_id(NOBODY, name), sha256(canonical({"tick": name})).digest()
        by = Actor(role=Role.SYSTEM, ref=NOBODY)
        act = Act(at=now.astimezone(UTC), today=now.astimezone(self._zone).date(), by=by)
        entries = [
            Draft(
                event_id=event_id(command_id, index),
                source=self._source,
                stream=STREAM,
                version=version + index + 1,
                home=EVERY_HOME,
                data=event,
                command_id=command_id,
                command_mac=mac,
                actor=by,
                correlation_id=command_id,
            )
            for index, event in enumerate(
                reference.tick(Register(version=version), Tick(nominal=nominal, reason=reason), act)
            )
        ]
        return Submission(
            command_id,
            mac,
            (
                Append(
                    STREAM,
                    version,
                    EVERY_HOME,
                    tuple(Entry(draft.event_id, draft.data.name, draft.body()) for draft in entries),
                ),
            ),
        )
