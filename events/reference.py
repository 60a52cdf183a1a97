"""What concerns everybody: rules, gazetteers, recipients, elections, engines, the clock. It goes to every partition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Self, TypeAlias, assert_never

from pydantic import Field, field_validator, model_validator

from events.command import Command
from events.envelope import BODY_LIMIT_BYTES, canonical
from events.event import Act, Event
from events.refusals import BadInput, NotNow
from events.vocabulary import ActorClass, Day, Instant, Open, Purpose, RecipientClass, UnitId, Value, Word

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RegisterId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


# --- events -----------------------------------------------------------------------------------------------------------


class ElectionRound(Word):
    PRESIDENTIAL = "presidential"
    LEGISLATIVE = "legislative"
    COMMUNAL = "communal"
    SENATE = "senate"
    HILL = "hill"
    REFERENDUM = "referendum"


class ElectionStanding(Word):
    """What is known of a date: announced, moved from another, held or cancelled."""

    ANNOUNCED = "announced"
    MOVED = "moved"
    HELD = "held"
    CANCELLED = "cancelled"


class TickReason(Word):
    MIDNIGHT = "midnight"
    HOUR = "hour"
    DUE = "due"


class Reference(Event):
    """An event that goes once to every partition under one position."""

    broadcast: ClassVar[bool] = True


class RulesAdopted(Reference):
    """A rule set is in force from here on; its content goes along, so that a replay needs no file."""

    name: ClassVar[str] = "reference.rules_adopted"

    rule_set: RegisterId
    content_hash: Sha256
    content: str


class GazetteerAdopted(Reference):
    """A gazetteer is in force from here on; units are re-assigned to communes inside each home."""

    name: ClassVar[str] = "reference.gazetteer_adopted"

    gazetteer: RegisterId
    content_hash: Sha256
    content: dict[str, Any]


class LocalConflict(Value):
    """Actor classes that a recipient conflicts with in one unit beside those it conflicts with everywhere."""

    unit: UnitId
    conflicts_with: tuple[Open[ActorClass], ...]


class RecipientRegistered(Reference):
    """A recipient's entry in the register, whole; a later one replaces it. An organisation, never a private person."""

    name: ClassVar[str] = "reference.recipient_registered"

    recipient: RegisterId
    recipient_class: Open[RecipientClass]
    label: Annotated[str, Field(min_length=1, max_length=200)]
    serves: tuple[UnitId, ...]
    purposes: tuple[Open[Purpose], ...]
    conflicts_with: tuple[Open[ActorClass], ...]
    conflicts_locally: tuple[LocalConflict, ...] = ()
    active: bool = True


class ElectionDated(Reference):
    """An election got a date, another date, or was held: the calendar itself moves."""

    name: ClassVar[str] = "reference.election_dated"

    election: RegisterId
    round: Open[ElectionRound]
    standing: Open[ElectionStanding]
    on: date
    campaign_from: date | None = None
    campaign_to: date | None = None
    source: Annotated[str, Field(max_length=500)]


class EngineAdopted(Reference):
    """From here on this engine of a projection speaks; before it, it only compares."""

    name: ClassVar[str] = "reference.engine_adopted"

    projection: RegisterId
    number: Annotated[int, Field(ge=1)]


class WaiverReason(Word):
    """Why an event has no part in what a projection shows."""

    UNREADABLE = "unreadable"
    CONTRADICTS_HISTORY = "contradicts_history"
    RECORDED_ANEW = "recorded_anew"
    OTHER = "other"


FoldKey = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9:/_.-]+$")]
"""Whose state a projection folds: a home, or a stream."""


class EventWaived(Reference):
    """One key of a projection passes over an event that it could not take; the event itself stays what it is."""

    name: ClassVar[str] = "reference.event_waived"

    projection: RegisterId
    key: FoldKey
    position: Annotated[int, Field(ge=1)]
    why: Open[WaiverReason]


class ClockTicked(Reference):
    """Time went on: a local midnight, an hour, or a moment at which something falls due. `nominal` names the moment."""

    name: ClassVar[str] = "clock.ticked"

    nominal: Instant
    reason: Open[TickReason]


ReferenceEvent: TypeAlias = (
    RulesAdopted | GazetteerAdopted | RecipientRegistered | ElectionDated | EngineAdopted | EventWaived | ClockTicked
)


# --- state ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient's entry in the register; `version` counts its registrations."""

    version: int = 0
    entry: RecipientRegistered | None = None

    def conflicting(self, units: frozenset[str]) -> frozenset[ActorClass]:
        """Actor classes it conflicts with in these units (a unit and those above it)."""
        if self.entry is None:
            return frozenset()
        local = (one.conflicts_with for one in self.entry.conflicts_locally if one.unit in units)
        return frozenset(self.entry.conflicts_with).union(*local)


def evolve_recipient(recipient: Recipient, event: RecipientRegistered) -> Recipient:
    return Recipient(version=recipient.version + 1, entry=event)


@dataclass(frozen=True, slots=True)
class Register:
    """What is in force of one reference stream: the latest adoption by name, and its number of events."""

    version: int = 0
    in_force: Mapping[str, ReferenceEvent] = field(default_factory=dict)


def evolve(register: Register, event: ReferenceEvent) -> Register:
    """Apply one event; total: never raises on history."""
    match event:
        case RulesAdopted():
            name = "rules"
        case GazetteerAdopted():
            name = "gazetteer"
        case RecipientRegistered():
            name = event.recipient
        case ElectionDated():
            name = event.election
        case EngineAdopted():
            name = event.projection
        case EventWaived():
            name = f"{event.projection} {event.key} {event.position}"
        case ClockTicked():
            name = event.reason.value
        case _:
            assert_never(event)
    return replace(register, version=register.version + 1, in_force={**register.in_force, name: event})


# --- refusals ---------------------------------------------------------------------------------------------------------


class InForceAlready(NotNow):
    sentence = "{name} is in force already: nothing was adopted"


class EngineGoesBack(NotNow):
    sentence = "engine {current} of {projection} speaks already: an earlier one can never speak again"


class HeldAlready(NotNow):
    sentence = "{election} was held on {on}: register another election under another name"


class WaivedAlready(NotNow):
    sentence = "{projection} passes over position {position} for {key} already: nothing was recorded"


class DiscontinuedClock(NotNow):
    sentence = "the clock ticked at {last} already: a moment before it is never made up"


# --- decisions --------------------------------------------------------------------------------------------------------


class AdoptRules(Command):
    """Adopt a rule set that was checked."""

    rule_set: RegisterId
    content_hash: Sha256
    content: Annotated[str, Field(min_length=1, max_length=500_000)]


def adopt_rules(register: Register, command: AdoptRules, act: Act) -> tuple[ReferenceEvent, ...]:
    """Adopt rules under the hash of their own text, by which every level that they make will name them."""
    _is_hash_of(command.content_hash, command.content.encode())
    current = register.in_force.get("rules")
    if isinstance(current, RulesAdopted) and current.content_hash == command.content_hash:
        raise InForceAlready(name=command.rule_set)
    return (RulesAdopted(rule_set=command.rule_set, content_hash=command.content_hash, content=command.content),)


GAZETTEER_LIMIT_BYTES = BODY_LIMIT_BYTES - 10_000
"""The largest content of a gazetteer: one event must hold it, with its envelope."""


class AdoptGazetteer(Command):
    """Adopt a gazetteer that was checked against the one in force (events/places)."""

    gazetteer: RegisterId
    content_hash: Sha256
    content: dict[str, Any]

    @field_validator("content")
    @classmethod
    def _as_the_log_can_hold_it(cls, content: dict[str, Any]) -> dict[str, Any]:
        try:
            size = len(canonical(content))
        except (TypeError, RecursionError):
            raise ValueError("texts, whole numbers, lists and objects; write degrees as millionths") from None
        if size > GAZETTEER_LIMIT_BYTES:
            raise ValueError(f"at most {GAZETTEER_LIMIT_BYTES} bytes as JSON; leave out what nobody looks up")
        return content


def adopt_gazetteer(register: Register, command: AdoptGazetteer, act: Act) -> tuple[ReferenceEvent, ...]:
    """Adopt a gazetteer under the hash of its own content, by which every place will name it."""
    _is_hash_of(command.content_hash, canonical(command.content))
    current = register.in_force.get("gazetteer")
    if isinstance(current, GazetteerAdopted) and current.content_hash == command.content_hash:
        raise InForceAlready(name=command.gazetteer)
    return (GazetteerAdopted(gazetteer=command.gazetteer, content_hash=command.content_hash, content=command.content),)


def _is_hash_of(stated: str, content: bytes) -> None:
    if stated != sha256(content).hexdigest():
        raise BadInput.field("content_hash", "the SHA-256 of the content in hex", "compute it from what you send")


class ConflictHere(Command):
    """Actor classes that a recipient conflicts with in one unit."""

    unit: UnitId
    conflicts_with: Annotated[tuple[ActorClass, ...], Field(min_length=1, max_length=9)]


class RegisterRecipient(Command):
    """Register a recipient of referrals, or replace its entry."""

    recipient: RegisterId
    recipient_class: RecipientClass
    label: Annotated[str, Field(min_length=1, max_length=200)]
    serves: Annotated[tuple[UnitId, ...], Field(min_length=1, max_length=200)]
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1, max_length=7)]
    conflicts_with: Annotated[tuple[ActorClass, ...], Field(max_length=9)]
    conflicts_locally: Annotated[tuple[ConflictHere, ...], Field(max_length=200)] = ()
    active: bool = True


def register_recipient(recipient: Recipient, command: RegisterRecipient, act: Act) -> tuple[RecipientRegistered, ...]:
    """Register a recipient; its entry says which actor classes it must not be sent cases about."""
    event = RecipientRegistered(
        recipient=command.recipient,
        recipient_class=command.recipient_class,
        label=command.label,
        serves=command.serves,
        purposes=command.purposes,
        conflicts_with=command.conflicts_with,
        conflicts_locally=tuple(
            LocalConflict(unit=one.unit, conflicts_with=one.conflicts_with) for one in command.conflicts_locally
        ),
        active=command.active,
    )
    if event == recipient.entry:
        raise InForceAlready(name=command.recipient)
    return (event,)


class DateElection(Command):
    """Say when an election is, was moved to, or was held."""

    election: RegisterId
    round: ElectionRound
    standing: ElectionStanding
    on: Day
    campaign_from: Day | None = None
    campaign_to: Day | None = None
    source: Annotated[str, Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _campaign_before_the_day(self) -> Self:
        days = [day for day in (self.campaign_from, self.campaign_to, self.on) if day]
        if days != sorted(days):
            raise ValueError("campaign_from, campaign_to and on in this order; correct the dates")
        return self


def date_election(register: Register, command: DateElection, act: Act) -> tuple[ReferenceEvent, ...]:
    """Date an election; one that was held stays held, and none was held in the future."""
    current = register.in_force.get(command.election)
    if isinstance(current, ElectionDated) and current.standing == ElectionStanding.HELD:
        raise HeldAlready(election=command.election, on=current.on)
    if command.standing == ElectionStanding.HELD and command.on > act.today:
        raise BadInput.field("on", "a day that is not in the future for an election that was held", "correct it")
    return (
        ElectionDated(
            election=command.election,
            round=command.round,
            standing=command.standing,
            on=command.on,
            campaign_from=command.campaign_from,
            campaign_to=command.campaign_to,
            source=command.source,
        ),
    )


class AdoptEngine(Command):
    """Let another engine of a projection speak."""

    projection: RegisterId
    number: Annotated[int, Field(ge=1, le=100_000)]


def adopt_engine(register: Register, command: AdoptEngine, act: Act) -> tuple[ReferenceEvent, ...]:
    current = register.in_force.get(command.projection)
    if isinstance(current, EngineAdopted) and command.number <= current.number:
        raise EngineGoesBack(current=current.number, projection=command.projection)
    return (EngineAdopted(projection=command.projection, number=command.number),)


class WaiveEvent(Command):
    """Let one key of a projection pass over an event that it cannot take, for ever and in every replay."""

    projection: RegisterId
    key: FoldKey
    position: Annotated[int, Field(ge=1, le=10**15)]
    why: WaiverReason


def waive_event(register: Register, command: WaiveEvent, act: Act) -> tuple[ReferenceEvent, ...]:
    if f"{command.projection} {command.key} {command.position}" in register.in_force:
        raise WaivedAlready(projection=command.projection, key=command.key, position=command.position)
    return (EventWaived(projection=command.projection, key=command.key, position=command.position, why=command.why),)


class Tick(Command):
    """Record that a nominal moment has passed."""

    nominal: Instant
    reason: TickReason


def tick(register: Register, command: Tick, act: Act) -> tuple[ReferenceEvent, ...]:
    """Tick; never for a moment that is still to come, and never twice or backwards for one reason."""
    if command.nominal > act.at:
        raise BadInput.field("nominal", "a moment that has passed", "wait for it")
    last = register.in_force.get(command.reason.value)
    if isinstance(last, ClockTicked) and command.nominal <= last.nominal:
        raise DiscontinuedClock(last=last.nominal.isoformat())
    return (ClockTicked(nominal=command.nominal, reason=command.reason),)


COMMANDS: tuple[type[Command], ...] = (
    AdoptRules,
    AdoptGazetteer,
    RegisterRecipient,
    DateElection,
    AdoptEngine,
    WaiveEvent,
    Tick,
)
