"""A reporter as the network knows one: enrolled, covering places, giving signs of life, stood down; never named.

A reporter who covers places in two homes has a stream in each, under ids that do not match and stand in no report. A
check-in is decided when it is said and recorded when its day is over, with all others of that day (services/signs).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, ClassVar, Self, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field, model_validator

from events.command import Command, Text, clear
from events.envelope import canonical
from events.event import Act, Event
from events.refusals import BadInput, NotNow
from events.sealed import Clear, KeyKind, Sealable
from events.vocabulary import Channel, Day, Language, Open, Reliability, UnitId, Word

# --- events -----------------------------------------------------------------------------------------------------------


class StandDown(Word):
    """Why a reporter stops."""

    OWN_WISH = "own_wish"
    SAFETY = "safety"
    MOVED = "moved"
    SILENT = "silent"
    BY_THE_NETWORK = "by_the_network"


class ReporterEnrolled(Event):
    """A reporter joined after training; a new source starts at F: its reliability cannot be judged."""

    name: ClassVar[str] = "reporter.enrolled"

    languages: tuple[Open[Language], ...]
    channels: tuple[Open[Channel], ...]
    trained: bool
    reliability: Open[Reliability] = Reliability.F
    name_sealed: Sealable | None = Field(default=None, alias="person_name")
    contact: Sealable | None = None


class ReporterCoverageAssigned(Event):
    """Which places a reporter covers and how often a sign of life is expected over each channel, in days."""

    name: ClassVar[str] = "reporter.coverage_assigned"

    units: tuple[UnitId, ...]
    channel: Open[Channel]
    cadence_days: Annotated[int, Field(ge=1, le=366)]


class ReporterCheckedIn(Event):
    """A sign of life of one day, appended with all others of that day in an order that tells nothing.

    At most one a stream, channel and day. `said` is a JSON object that is as long whatever is in it:
    `nothing_to_report`, `felt_safety` (1 to 10), the day (`day`), and who gave it (`role`, `by`, `on_behalf_of`). Any
    of these in clear would tell by elimination who sent a report of that day. One that came after its day was over is
    appended with all others of the week in which it came, and `on` is then the Monday of the week of its day: of
    several the last stands, and where that Monday has one another is refused.
    """

    name: ClassVar[str] = "reporter.checked_in"
    schema_version: ClassVar[int] = 2

    on: date
    channel: Open[Channel]
    said: Sealable | None = None


class ReporterStoodDown(Event):
    """A reporter covers nothing any more."""

    name: ClassVar[str] = "reporter.stood_down"

    reason: Open[StandDown]
    note: Sealable | None = None


ReporterEvent: TypeAlias = ReporterEnrolled | ReporterCoverageAssigned | ReporterCheckedIn | ReporterStoodDown


# --- state ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reporter:
    """What the network knows of one reporter in one home."""

    reporter_id: UUID
    version: int = 0
    enrolled: bool = False
    reliability: Reliability = Reliability.F
    units: tuple[str, ...] = ()
    channel: Channel | None = None
    cadence_days: int = 0
    last_sign: date | None = None
    signs: frozenset[tuple[date, Channel]] = frozenset()
    """The latest signs by day and channel, at least as far back as another one could still be given."""


LATE_DAYS = 31
"""How old the day of a check-in may be that is typed in later: a letter comes within a month or not at all."""

MOST_SIGNS = (LATE_DAYS + 1) * len(Channel)
"""More than can be given of so many days. Until there are more, none is let go: one sign of a day to
come, from when a clock was wrong, would else take with it all that may be given again."""


def monday_of(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def recorded_as_of(on: date, taken_on: date) -> date:
    """The `on` of a sign of this day. A late one is few a day: its own would lead to the letter it came with."""
    return monday_of(on) if on < taken_on else on


def recorded_from(on: date, taken_on: date) -> date:
    """The first day on which a sign of a day that was taken on another may be on the log."""
    return monday_of(taken_on) + timedelta(days=7) if on < taken_on else taken_on + timedelta(days=1)


def evolve(reporter: Reporter, event: ReporterEvent) -> Reporter:
    """Apply one event; total: never raises on history."""
    reporter = replace(reporter, version=reporter.version + 1)
    match event:
        case ReporterEnrolled():
            return replace(reporter, enrolled=True, reliability=event.reliability)
        case ReporterCoverageAssigned():
            return replace(reporter, units=event.units, channel=event.channel, cadence_days=event.cadence_days)
        case ReporterCheckedIn():
            last = max(event.on, reporter.last_sign) if reporter.last_sign else event.on
            signs = frozenset({*reporter.signs, (event.on, event.channel)})
            if len(signs) > MOST_SIGNS:
                late = timedelta(days=LATE_DAYS)
                signs = frozenset((on, channel) for on, channel in signs if event.on - on <= late)
            return replace(reporter, last_sign=last, signs=signs)
        case ReporterStoodDown():
            return replace(reporter, enrolled=False, units=(), cadence_days=0)
        case _:
            assert_never(event)


# --- refusals ---------------------------------------------------------------------------------------------------------


class EnrolledAlready(NotNow):
    sentence = "this reporter is enrolled already"


class NotEnrolled(NotNow):
    sentence = "this reporter is not enrolled: enrol first"


class SignGivenAlready(NotNow):
    sentence = "a sign of life of {on} over {channel} is recorded already: one a day and channel is all that is needed"


class CoverageLeavesHome(NotNow):
    sentence = "the units {units} lie in another home: the reporter has another stream there"


# --- decisions --------------------------------------------------------------------------------------------------------


class Enrol(Command):
    """Enrol a reporter after training."""

    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=4)]
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=7)]
    trained: bool
    person_name: Text | None = None
    contact: Text | None = None


def enrol(reporter: Reporter, command: Enrol, act: Act, *, person: UUID) -> tuple[ReporterEvent, ...]:
    """Enrol a reporter whose words are sealed under `person`'s key."""
    if reporter.enrolled:
        raise EnrolledAlready()
    return (
        ReporterEnrolled(
            languages=command.languages,
            channels=command.channels,
            trained=command.trained,
            reliability=reporter.reliability,
            name_sealed=clear(command.person_name, KeyKind.PERSON, person),
            contact=clear(command.contact, KeyKind.PERSON, person),
        ),
    )


class AssignCoverage(Command):
    """Say which places a reporter covers, over which channel, with a sign of life every so many days."""

    units: Annotated[tuple[UnitId, ...], Field(min_length=1, max_length=50)]
    channel: Channel
    cadence_days: Annotated[int, Field(ge=1, le=366)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.units)) != len(self.units):
            raise ValueError("each unit once; leave the repeated one out")
        return self


def assign_coverage(
    reporter: Reporter, command: AssignCoverage, act: Act, *, outside: frozenset[str]
) -> tuple[ReporterEvent, ...]:
    """Assign places; `outside` are those of them that do not lie in this stream's home."""
    if not reporter.enrolled:
        raise NotEnrolled()
    if outside:
        raise CoverageLeavesHome(units=", ".join(sorted(outside)))
    return (ReporterCoverageAssigned(units=command.units, channel=command.channel, cadence_days=command.cadence_days),)


class CheckIn(Command):
    """A sign of life, also that there is nothing to report; held until the day is over."""

    on: Day
    channel: Channel
    nothing_to_report: bool
    felt_safety: Annotated[int | None, Field(ge=1, le=10, repr=False)] = None


SAID_CHARACTERS = 220
"""More than the longest `said`: what says more must not be longer, since a length is not sealed."""


def check_in(reporter: Reporter, command: CheckIn, act: Act, *, person: UUID) -> tuple[ReporterCheckedIn, ...]:
    """The sign of life that will be recorded when the day is over; what is said is sealed under `person`'s key."""
    if not reporter.enrolled:
        raise NotEnrolled()
    if command.on > act.today:
        raise BadInput.field("on", "a day that is not in the future", "correct the date")
    if act.today - command.on > timedelta(days=LATE_DAYS):
        raise BadInput.field("on", f"a day of the last {LATE_DAYS} days", "leave out what is older")
    if (command.on, command.channel) in reporter.signs:
        raise SignGivenAlready(on=command.on, channel=command.channel.value)
    if ((as_of := recorded_as_of(command.on, act.today)), command.channel) in reporter.signs:
        raise SignGivenAlready(on=f"the week of {as_of}", channel=command.channel.value)
    return (ReporterCheckedIn(on=command.on, channel=command.channel, said=_said(command, act, person)),)


def _said(command: CheckIn, act: Act, person: UUID) -> Clear:
    said = {
        "nothing_to_report": command.nothing_to_report,
        "felt_safety": command.felt_safety,
        "day": command.on.isoformat(),
        "role": act.by.role.value,
        "by": str(act.by.ref),
        "on_behalf_of": act.by.on_behalf_of and str(act.by.on_behalf_of),
    }
    return clear(canonical(said).decode().ljust(SAID_CHARACTERS), KeyKind.PERSON, person)


def record_signs(reporter: Reporter, held: Iterable[ReporterCheckedIn]) -> tuple[ReporterCheckedIn, ...]:
    """Those of a day's held signs that are not recorded yet, in order of day and channel.

    Also of who stood down meanwhile: it was accepted when they had not.
    """
    new = {(sign.on, sign.channel): sign for sign in held if (sign.on, sign.channel) not in reporter.signs}
    return tuple(new[key] for key in sorted(new))


class StandDownReporter(Command):
    """Let a reporter stop."""

    reason: StandDown
    note: Text | None = None


def stand_down(reporter: Reporter, command: StandDownReporter, act: Act, *, person: UUID) -> tuple[ReporterEvent, ...]:
    if not reporter.enrolled:
        raise NotEnrolled()
    return (ReporterStoodDown(reason=command.reason, note=clear(command.note, KeyKind.PERSON, person)),)


COMMANDS: tuple[type[Command], ...] = (Enrol, AssignCoverage, CheckIn, StandDownReporter)
