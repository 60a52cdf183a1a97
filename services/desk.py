"""Where a command becomes events: read streams, decide, seal, write the wire form, append; again on a lost race.

An append names every stream that the decision read, also those it does not write, so that nothing it rested on can have
moved. A repeat answers as the first time, whatever has happened since.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from events.alert import Alerting
from events.alert import evolve as evolve_alerting
from events.case import state as case_state
from events.case.state import Case
from events.catalogue import read
from events.command import Command
from events.envelope import Draft, canonical, event_id, named_id
from events.event import Act, Event
from events.reference import Recipient, Register, evolve_recipient
from events.reference import evolve as evolve_register
from events.refusals import NotNow, Refusal
from events.report import state as report_state
from events.report.state import Report
from events.reporter import CheckIn, Reporter, ReporterCheckedIn
from events.reporter import evolve as evolve_reporter
from events.vocabulary import EVERY_HOME, Actor, Mode, Role
from services.area import EVERYWHERE, Area
from services.ledger.ledger import (
    Accepted,
    Append,
    CommandReused,
    Conflict,
    Entry,
    KeyDestroyed,
    Ledger,
    Placed,
    Submission,
)
from services.signs import Held, Signs
from services.vault.commands import CommandIds
from services.vault.intake import Arrival, Intake
from services.vault.keys import DataKey, Need
from services.vault.persons import Persons
from services.vault.refused import KeyGone, SourceDiffers
from services.vault.sealing import Sealer, Unsealed, find_texts

MOST_TRIES = 8
"""A decision that lost this many races in a row tells its caller so: somebody else is writing there all the time."""

Facts = Mapping[str, str | Sequence[str] | None]
"""What came with a command and stands in no field of it, such as whose report it is; people by their ids."""

NO_FACTS: Facts = MappingProxyType({})


class AnotherMode(NotNow):
    """A record was begun in another earnest than this command."""

    sentence = "{stream} is {its_mode} and this is {mode}: what is exercised never touches what is real"


class MovedOn(NotNow):
    """What somebody decided on is no longer what is there."""

    sentence = (
        "{stream} has moved on since you read it: its last event is now at position {at}; read it and decide again"
    )


S = TypeVar("S")
C_co = TypeVar("C_co", bound=Command, covariant=True)


@dataclass(frozen=True, slots=True)
class Order(Generic[C_co]):
    """A command as it reached us: who sent it, in which role, and what they called it, so that a repeat is known.

    `target` is what it is about (a report's or case's id, a register's name); it is part of what must be equal at a
    repeat. `causation_id` is the event that led to it, where one did. Its repr shows neither people nor their words.

    `area` and `recipient` say how far its sender's rights reach: the units they may act on, and whose referrals they
    answer. `read_at` is the position up to which they had read the stream that they act on, where they say so.
    """

    person_id: UUID = field(repr=False)
    role: Role
    client_id: str = field(repr=False)
    command: C_co
    target: str
    mode: Mode = Mode.ACTUAL
    on_behalf_of: UUID | None = field(default=None, repr=False)
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    area: Area = EVERYWHERE
    recipient: str | None = None
    read_at: int | None = None
    command_id: UUID | None = field(default=None, repr=False, compare=False)
    """What it is called here, where whoever made the order has asked for that already (`Desk.id_of`): it is needed more
    than once, and costs an HMAC."""

    def canonical(self, facts: Facts) -> bytes:
        """The bytes whose HMAC tells a repeat from another body under the same id."""
        return canonical(
            {
                "command": type(self.command).__name__,
                "target": self.target,
                "role": self.role.value,
                "mode": self.mode.value,
                "for": self.on_behalf_of and str(self.on_behalf_of),
                "fields": self.command.revealed(),
                "facts": dict(facts),
            }
        )


@dataclass(frozen=True, slots=True)
class Change:
    """Decided events for one stream, and under which pseudonym: the one that the person has in that stream's record.

    `speaks_of` are people whom the texts of a report are known to speak of. `follows` says that the first event of the
    same command led to these.
    """

    stream: str
    home: str
    events: Sequence[Event]
    by: Actor
    speaks_of: frozenset[UUID] = frozenset()
    follows: bool = False
    keyed: Keyed | None = None


@dataclass(frozen=True, slots=True)
class Keyed:
    """The texts of a change, and the keys to seal them with."""

    unsealed: Unsealed[Event]
    keys: Mapping[Need, DataKey]


Settle = Callable[[Sequence[Change]], Awaitable[Sequence[Change]]]


@dataclass(slots=True)
class Reading:
    """What one decision read, at which versions, and the keys of the texts that it opened."""

    ledger: Ledger
    command_id: UUID
    versions: dict[str, int] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    modes: dict[str, Mode] = field(default_factory=dict)
    key_ids: set[UUID] = field(default_factory=set)
    _actors: dict[str, list[Actor]] = field(default_factory=dict)

    async def fold(self, stream: str, initial: S, evolve: Callable[[S, Any], S]) -> S:
        """The state of a stream, and a note of its version and home."""
        state = initial
        rows = await self.ledger.read_stream(stream)
        actors = self._actors[stream] = []
        for row in rows:
            envelope = read(row.wire())
            self.modes.setdefault(stream, envelope.mode)
            actors.append(Actor(role=envelope.actorrole, ref=envelope.actorref, on_behalf_of=envelope.onbehalfof))
            state = evolve(state, envelope.data)
        self.versions[stream] = rows[-1].version if rows else 0
        if rows:
            self.homes[stream] = rows[-1].home
            self.positions[stream] = rows[-1].position
        return state

    def fresh(self, stream: str, state: S) -> S:
        """The state of a stream whose id follows from this command's: nobody but this command can have begun it.

        It is not read: where it is there already, this is a repeat, and the append says so by the command's id.
        """
        self.versions[stream] = 0
        return state

    async def report(self, report_id: UUID) -> Report:
        return await self.fold(f"report/{report_id}", Report(report_id), report_state.evolve)

    async def case(self, case_id: UUID) -> Case:
        return await self.fold(f"case/{case_id}", Case(case_id), case_state.evolve)

    async def reporter(self, reporter_id: UUID) -> Reporter:
        return await self.fold(f"reporter/{reporter_id}", Reporter(reporter_id), evolve_reporter)

    async def alerting(self, unit: str) -> Alerting:
        return await self.fold(f"alert/{unit}", Alerting(), evolve_alerting)

    async def register(self, name: str) -> Register:
        return await self.fold(f"reference/{name}", Register(), evolve_register)

    async def recipient(self, name: str) -> Recipient:
        return await self.fold(f"reference/recipient-{name}", Recipient(), evolve_recipient)

    def home(self, stream: str) -> str:
        """Where a stream that was read lives; every home for one that is not there yet."""
        return self.homes.get(stream, EVERY_HOME)

    def actors(self, stream: str, role: Role) -> frozenset[UUID]:
        """Who has written to a stream in this role, or had somebody write for them, as far as it was read."""
        return frozenset().union(*(actor.people for actor in self._actors.get(stream, ()) if actor.role == role))

    def refuse_if_moved(self, read_at: int | None, changes: Sequence[Change]) -> None:
        """Somebody who said what they had read decides on that and on nothing newer; 0 is that nothing was there."""
        if read_at is None or not changes:
            return
        stream = changes[0].stream
        if (at := self.positions.get(stream, 0)) != read_at:
            raise MovedOn(stream=stream, at=at)

    def refuse_another_mode(self, mode: Mode) -> None:
        """An exercise never touches an actual record, nor the other way round; the registers serve both."""
        for stream, its_mode in self.modes.items():
            if its_mode != mode and not stream.startswith("reference/"):
                raise AnotherMode(stream=stream, its_mode=its_mode.shown, mode=mode.shown)

    def new_id(self, name: str) -> UUID:
        """The id of a new thing, the same at each repeat of this command."""
        return named_id(self.command_id, name)

    def assertions(self, written: Iterable[str]) -> tuple[Append, ...]:
        """Appends that write nothing: the streams that were read must still be as they were."""
        skipped = set(written)
        return tuple(
            Append(stream=stream, expected_version=version, home=self.home(stream))
            for stream, version in self.versions.items()
            if stream not in skipped
        )


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
        self._sealer = sealer
        self._intake = intake
        self._ids = ids
        self._clock = clock
        self._zone = zone
        self._source = source

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
                submission = await self._submission(order, reading, changes, command_id, mac)
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

    async def _submission(
        self, order: Order[Command], reading: Reading, changes: Sequence[Change], command_id: UUID, mac: bytes
    ) -> Submission:
        appends: list[Append] = []
        key_ids = set(reading.key_ids)
        index = 0
        for change in changes:
            version = reading.versions[change.stream]
            if (keyed := change.keyed) is not None:
                events, keys = keyed.unsealed.sealed(version + 1, keyed.keys)
            else:
                events, keys = await self._sealer.seal(change.stream, version + 1, change.events, change.speaks_of)
            key_ids |= keys
            entries: list[Entry] = []
            for number, data in enumerate(events, version + 1):
                draft = Draft(
                    event_id=event_id(command_id, index),
                    source=self._source,
                    stream=change.stream,
                    version=number,
                    home=change.home,
                    data=data,
                    command_id=command_id,
                    command_mac=mac,
                    actor=change.by,
                    mode=order.mode,
                    correlation_id=order.correlation_id or command_id,
                    causation_id=event_id(command_id, 0) if change.follows else order.causation_id,
                )
                entries.append(Entry(event_id=draft.event_id, type=data.name, body=draft.body()))
                index += 1
            appends.append(
                Append(stream=change.stream, expected_version=version, home=change.home, entries=tuple(entries))
            )
        appends.extend(reading.assertions(change.stream for change in changes))
        return Submission(command_id, mac, tuple(appends), frozenset(key_ids))


def _writers(order: Order[Command]) -> tuple[UUID, ...]:
    """Whoever the order's events name: who sent it, and for whom."""
    behind = order.on_behalf_of
    return (order.person_id,) if behind is None else (order.person_id, behind)


def _actor(order: Order[Command], refs: Mapping[UUID, UUID]) -> Actor:
    behind = order.on_behalf_of
    return Actor(role=order.role, ref=refs[order.person_id], on_behalf_of=None if behind is None else refs[behind])
