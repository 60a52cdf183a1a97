"""What one decision rests on: the streams that it read, at which versions, and why it may not be taken after all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from events.alert import Alerting
from events.alert import evolve as evolve_alerting
from events.case import state as case_state
from events.case.state import Case
from events.catalogue import read
from events.envelope import named_id
from events.reference import Recipient, Register, evolve_recipient
from events.reference import evolve as evolve_register
from events.refusals import NotNow
from events.report import state as report_state
from events.report.state import Report
from events.reporter import Reporter
from events.reporter import evolve as evolve_reporter
from events.vocabulary import EVERY_HOME, Actor, Mode, Role
from services.desk.change import Change
from services.ledger.ledger import Append, Ledger

S = TypeVar("S")


class AnotherMode(NotNow):
    """A record was begun in another earnest than this command."""

    sentence = "{stream} is {its_mode} and this is {mode}: what is exercised never touches what is real"


class MovedOn(NotNow):
    """What somebody decided on is no longer what is there."""

    sentence = (
        "{stream} has moved on since you read it: its last event is now at position {at}; read it and decide again"
    )


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
