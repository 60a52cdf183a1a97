"""Takes orders: whoever sends one is told what was recorded, or why nothing was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from uuid import UUID, uuid4

from events.command import Command
from events.event import Act
from events.refusals import Refusal
from events.reporter import CheckIn, ReporterCheckedIn
from events.vocabulary import Actor
from services.desk.change import Change, Keyed, Settle
from services.desk.order import NO_FACTS, Facts, Order
from services.desk.reading import Reading
from services.desk.writing import Writing
from services.ledger.ledger import Accepted, CommandReused, Conflict, KeyDestroyed, Ledger, Placed
from services.signs import Held, Signs
from services.vault.commands import CommandIds
from services.vault.intake import Arrival, Intake
from services.vault.persons import Persons
from services.vault.refused import KeyGone, SourceDiffers
from services.vault.sealing import Sealer, find_texts

MOST_TRIES = 8
"""A decision that lost this many races in a row tells its caller so: somebody else is writing there all the time."""


class Desk:
    """Takes orders. `clock` is this process's own clock, `zone` says which day it is, `source` names the deployment."""

    def __init__(
        self,
        ledger: Ledger,
        sealer: Sealer,
        persons: Persons,
        intake: Intake,
        ids: CommandIds,
        signs: Signs,
        *,
        clock: Callable[[], datetime],
        zone: tzinfo,
        source: str,
    ) -> None:
        self.ledger = ledger
        self.persons = persons
        self.signs = signs
        self._writing = Writing(sealer, source)
        self._intake = intake
        self._ids = ids
        self._clock = clock
        self._zone = zone

    def now(self) -> datetime:
        """What time it is for whoever acts here."""
        return self._clock()

    def id_of(self, person_id: UUID, client_id: str) -> UUID:
        """The id of the command that a person calls so."""
        return self._ids.command_id(person_id, client_id)

    def command_id(self, order: Order[Command]) -> UUID:
        return order.command_id or self.id_of(order.person_id, order.client_id)

    async def act(self, order: Order[Command], about: UUID) -> Act:
        """Who acts, and for whom, under the pseudonyms that they have about this report or case, and when."""
        at = self._clock()
        refs = {person: await self.persons.pseudonym(person, about) for person in _writers(order)}
        return self._act(order, at, refs)

    def act_anew(self, order: Order[Command]) -> Act:
        """As `act`, about a report that this very order makes: nobody has a pseudonym about it yet, so each gets one
        here, and `admit` asks the vault to keep it."""
        return self._act(order, self._clock(), {person: uuid4() for person in _writers(order)})

    def _act(self, order: Order[Command], at: datetime, refs: Mapping[UUID, UUID]) -> Act:
        return Act(at=at, today=at.astimezone(self._zone).date(), by=_actor(order, refs), mode=order.mode)

    async def admit(self, order: Order[Command], report_id: UUID, source: UUID | None, change: Change) -> Change:
        """Have the vault take in, at once, all that a new report needs of it; to be asked when it has been decided.

        So a refused one leaves nothing there. At a repeat the vault knows pseudonyms already, and those hold. Raises
        SourceDiffers and KeyGone.
        """
        unsealed = find_texts(change.stream, change.events, change.speaks_of)
        drawn = (change.by.ref, change.by.on_behalf_of)
        writers = tuple((person, ref) for person, ref in zip(_writers(order), drawn, strict=False) if ref is not None)
        admitted = await self._intake.admit(Arrival(report_id, writers, source, tuple(unsealed.needs.values())))
        return replace(change, by=_actor(order, admitted.refs), keyed=Keyed(unsealed, admitted.keys))

    async def perform(
        self,
        order: Order[Command],
        decide: Callable[[Reading], Awaitable[Sequence[Change]]],
        *,
        facts: Facts = NO_FACTS,
        look_first: bool = False,
        settle: Settle | None = None,
    ) -> Accepted:
        """Decide and append, again where another command was faster.

        `decide` asks for everything it rests on itself, also for who acts (`act`), since by the time of a repeat any of
        it may be refused. `facts` are what a repeat must have in common beside the order. `look_first`, where it writes
        of other people to the vault: a repeat, and above all another body under a known id, is answered before that;
        for others the append knows it. `settle` does that writing, when nothing can refuse the changes any more but the
        append. Raises the domain's Refusal, the vault's or the ledger's errors. On Unknown send the same order again.
        """
        command_id = self.command_id(order)
        mac = self._ids.command_mac(order.canonical(facts))
        if look_first and (accepted := await self._accepted_before(command_id, mac)) is not None:
            return accepted
        for tries_left in reversed(range(MOST_TRIES)):
            reading = Reading(self.ledger, command_id)
            try:
                changes = await decide(reading)
                reading.refuse_if_moved(order.read_at, changes)
                reading.refuse_another_mode(order.mode)
                if settle is not None:
                    changes = await settle(changes)
                submission = await self._writing.submission(order, reading, changes, mac)
            except (Refusal, KeyGone, SourceDiffers):
                # A repeat: by now the domain would refuse it, or a key or a person is erased. Or both were first at
                # once, and another body came to name the source.
                if (accepted := await self._accepted_before(command_id, mac)) is not None:
                    return accepted
                raise
            try:
                return await self.ledger.append(submission)
            except (Conflict, KeyDestroyed):
                # A stream moved, or a text that the decision read was erased: decide again on what is there now.
                if not tries_left:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    async def hold(
        self,
        order: Order[CheckIn],
        person: UUID,
        decide: Callable[[Reading], Awaitable[Mapping[UUID, ReporterCheckedIn]]],
        *,
        facts: Facts = NO_FACTS,
    ) -> Held:
        """Decide on a check-in and have it held until its day is over; `decide` gives a sign for each of their streams.

        A repeat answers as the first time. Raises the domain's Refusal, the vault's or the ledger's errors.
        """
        command_id = self.command_id(order)
        mac = self._ids.command_mac(order.canonical(facts))
        if (held := await self.signs.taken_before(command_id, mac, order.command.on)) is not None:
            return held
        if (accepted := await self._accepted_before(command_id, mac)) is not None:
            # When check-ins still went onto the log at once.
            return Held(accepted.placed[0].recorded_at, repeated=True)
        return await self.signs.hold(command_id, mac, person, await decide(Reading(self.ledger, command_id)))

    async def _accepted_before(self, command_id: UUID, mac: bytes) -> Accepted | None:
        """The first time's answer to a repeat that would be refused by now; another body is refused as such."""
        rows = await self.ledger.read_command(command_id)
        if not rows:
            return None
        if rows[0].command_mac != mac:
            raise CommandReused()
        placed = (Placed(row.position, row.stream, row.version, row.event_id, row.recorded_at) for row in rows)
        return Accepted(tuple(placed), repeated=True)


def _writers(order: Order[Command]) -> tuple[UUID, ...]:
    """Whoever the order's events name: who sent it, and for whom."""
    behind = order.on_behalf_of
    return (order.person_id,) if behind is None else (order.person_id, behind)


def _actor(order: Order[Command], refs: Mapping[UUID, UUID]) -> Actor:
    behind = order.on_behalf_of
    return Actor(role=order.role, ref=refs[order.person_id], on_behalf_of=None if behind is None else refs[behind])
