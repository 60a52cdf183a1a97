"""What strangers are told: a unit's level changed, on a date, by which rules; nothing that points at a witness.

And what people of the network decide about it: that another level than the computed one is told, for a while; that
subscribers are left in peace for a while.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from events.command import Command, Text, clear
from events.event import Act, Event
from events.level import Level
from events.refusals import BadInput, NotNow
from events.sealed import KeyKind, Sealable
from events.vocabulary import Instant, Open, UnitId, Value, Word

LONGEST_OVERRIDE = timedelta(days=30)
LONGEST_SILENCE = timedelta(days=7)
MOST_SILENCES = 10
"""That may stand of one unit at once."""


class KindGroup(Word):
    """Groups of kinds, coarse enough that a group does not describe an incident."""

    VIOLENCE_AND_WEAPONS = "violence_and_weapons"
    TENSION_AND_RUMOUR = "tension_and_rumour"
    RIGHTS_AND_ELECTIONS = "rights_and_elections"
    DISPLACEMENT = "displacement"


class AlertChange(Word):
    """How this alert stands to what was told before."""

    RAISED = "raised"
    LOWERED = "lowered"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"


class Code(Value):
    """A code of a unit in a scheme other people use."""

    scheme: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
    code: Annotated[str, Field(min_length=1, max_length=64)]


class AlertIssued(Event):
    """A unit's level, for strangers: a date and no instant, no evidence, counts, recipients, coverage or confidence."""

    name: ClassVar[str] = "alert.issued"
    derived: ClassVar[bool] = True

    unit: UnitId
    unit_name: Annotated[str, Field(min_length=1, max_length=200)]
    codes: tuple[Code, ...] = ()
    before: Level = Field(alias="from")
    after: Level = Field(alias="to")
    on: date
    kinds: tuple[Open[KindGroup], ...] = ()
    rules_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    change: Open[AlertChange]
    updates: UUID | None = None
    cancels: UUID | None = None


class OverrideReason(Word):
    """Why people tell another level than the computed one."""

    LOCAL_KNOWLEDGE = "local_knowledge"
    EVIDENCE_DOUBTED = "evidence_doubted"
    EVIDENCE_ON_ITS_WAY = "evidence_on_its_way"
    PROTECTION = "protection"
    RULES_DO_NOT_FIT = "rules_do_not_fit"


class AlertOverridden(Event):
    """Until a moment strangers are told this level of a unit; the computed one goes on and stands beside it.

    Who decided it is its `actorref`. A rise of the computed level above the lowest that it had since, and above this
    one, is told all the same (projections/alert_level).
    """

    name: ClassVar[str] = "alert.overridden"

    unit: UnitId
    level: Level
    until: Instant
    reason: Open[OverrideReason]
    note: Sealable | None = None


class AlertOverrideEnded(Event):
    """An override was ended by somebody before its time."""

    name: ClassVar[str] = "alert.override_ended"

    unit: UnitId
    note: Sealable | None = None


class AlertAcknowledged(Event):
    """Somebody of the network has seen an alert and answers for what follows; who did is its `actorref`."""

    name: ClassVar[str] = "alert.acknowledged"

    unit: UnitId
    alert_id: UUID
    note: Sealable | None = None


class SilenceReason(Word):
    """Why people have subscribers left in peace."""

    ANSWERED_ALREADY = "answered_already"
    TOO_MANY_NOTICES = "too_many_notices"
    PLANNED_EVENT = "planned_event"
    PROTECTION = "protection"


SilencedLevel = Annotated[int, Field(ge=1, le=3)]
"""The highest level that a silence holds back: never crisis."""


class AlertSilenced(Event):
    """Until a moment subscribers are not sent these alerts of a unit and all below it; the log has them all the same.

    Held back is what goes to a level up to `up_to_level`; where `changes` or `kinds` are named, only such as are of one
    of the changes and of no other kinds. Never is what takes back what a subscriber was told. What was held back is
    sent as it then stands when the silence is over. Who decided it is its `actorref`.
    """

    name: ClassVar[str] = "alert.silenced"

    silence_id: UUID
    unit: UnitId
    unit_name: Annotated[str, Field(min_length=1, max_length=200)]
    codes: tuple[Code, ...] = ()
    up_to_level: SilencedLevel
    changes: tuple[Open[AlertChange], ...] = ()
    kinds: tuple[Open[KindGroup], ...] = ()
    until: Instant
    reason: Open[SilenceReason]
    note: Sealable | None = None


class AlertSilenceEnded(Event):
    """A silence was ended by somebody before its time."""

    name: ClassVar[str] = "alert.silence_ended"

    silence_id: UUID
    unit: UnitId
    note: Sealable | None = None


class SilenceStanding(Word):
    """Whether what is held back begins or ends to be."""

    BEGINS = "begins"
    ENDS = "ends"


class AlertSilenceAnnounced(Event):
    """Subscribers are told that a silence begins or ends: of which unit and what, not by whom or why."""

    name: ClassVar[str] = "alert.silence_announced"
    derived: ClassVar[bool] = True

    silence_id: UUID
    standing: Open[SilenceStanding]
    unit: UnitId
    unit_name: Annotated[str, Field(min_length=1, max_length=200)]
    codes: tuple[Code, ...] = ()
    up_to_level: SilencedLevel
    changes: tuple[Open[AlertChange], ...] = ()
    kinds: tuple[Open[KindGroup], ...] = ()
    until: Instant


AlertEvent: TypeAlias = (
    AlertIssued
    | AlertOverridden
    | AlertOverrideEnded
    | AlertAcknowledged
    | AlertSilenced
    | AlertSilenceEnded
    | AlertSilenceAnnounced
)


@dataclass(frozen=True, slots=True)
class Alerting:
    """What people decided about the alerts of one unit: until when an override stands, if one does, which alert
    somebody acknowledged last, and until when each silence that nobody has ended stands."""

    version: int = 0
    overridden_until: datetime | None = None
    acknowledged: UUID | None = None
    silenced_until: Mapping[UUID, datetime] = field(default_factory=dict)


def evolve(alerting: Alerting, event: AlertEvent) -> Alerting:
    """Apply one event; total: never raises on history."""
    alerting = replace(alerting, version=alerting.version + 1)
    match event:
        case AlertIssued():
            return alerting
        case AlertOverridden():
            return replace(alerting, overridden_until=event.until)
        case AlertOverrideEnded():
            return replace(alerting, overridden_until=None)
        case AlertAcknowledged():
            return replace(alerting, acknowledged=event.alert_id)
        case AlertSilenced():
            return replace(alerting, silenced_until={**alerting.silenced_until, event.silence_id: event.until})
        case AlertSilenceEnded():
            standing = {one: until for one, until in alerting.silenced_until.items() if one != event.silence_id}
            return replace(alerting, silenced_until=standing)
        case AlertSilenceAnnounced():
            return alerting
        case _:
            assert_never(event)


class NothingOverridden(NotNow):
    sentence = "no override of {unit} stands: there is nothing to end"


class Override(Command):
    """Let strangers be told another level of a unit than the computed one, with a reason, until a moment."""

    unit: UnitId
    level: Level
    until: Instant
    reason: OverrideReason
    note: Text | None = None


def override(
    alerting: Alerting, command: Override, act: Act, *, person: UUID, row: str | None
) -> tuple[AlertOverridden, ...]:
    """Override a unit's level; `row` is the unit in whose row its cases count, None where strangers are told of none.

    A later override replaces an earlier.
    """
    if command.unit != row:
        to_do = "choose one of these" if row is None else f"override {row}"
        raise BadInput.field("unit", "a commune in force, or a unit above the communes", to_do)
    if not act.at < command.until <= act.at + LONGEST_OVERRIDE:
        raise BadInput.field(
            "until", f"a moment to come, at most {LONGEST_OVERRIDE.days} days from now", "correct it, and renew it then"
        )
    return (
        AlertOverridden(
            unit=command.unit,
            level=command.level,
            until=command.until,
            reason=command.reason,
            note=clear(command.note, KeyKind.PERSON, person),
        ),
    )


class EndOverride(Command):
    """Let strangers be told the computed level of a unit again."""

    unit: UnitId
    note: Text | None = None


def end_override(alerting: Alerting, command: EndOverride, act: Act, *, person: UUID) -> tuple[AlertOverrideEnded, ...]:
    """End what stands."""
    if alerting.overridden_until is None or alerting.overridden_until <= act.at:
        raise NothingOverridden(unit=command.unit)
    return (AlertOverrideEnded(unit=command.unit, note=clear(command.note, KeyKind.PERSON, person)),)


class AnotherAlert(NotNow):
    sentence = "the last alert of {unit} is {latest}: somebody who read another has not read that one"


class AcknowledgedAlready(NotNow):
    sentence = "the alert {alert_id} was acknowledged already"


class Acknowledge(Command):
    """Say that you have seen the last alert of a unit, and that you answer for what follows."""

    unit: UnitId
    alert_id: UUID
    note: Text | None = None


def acknowledge(
    alerting: Alerting, command: Acknowledge, act: Act, *, person: UUID, last: UUID | None
) -> tuple[AlertAcknowledged, ...]:
    """Acknowledge an alert, which must be the unit's `last` one; the first to do so does it for all.

    It may be one that cancels or that warns no more: somebody has to see to it that what was passed on is taken back.
    """
    if command.alert_id != last:
        raise AnotherAlert(unit=command.unit, latest="none yet" if last is None else last)
    if alerting.acknowledged == last:
        raise AcknowledgedAlready(alert_id=last)
    note = clear(command.note, KeyKind.PERSON, person)
    return (AlertAcknowledged(unit=command.unit, alert_id=command.alert_id, note=note),)


class TooManySilences(NotNow):
    sentence = "{count} silences of {unit} stand already"


class NothingSilenced(NotNow):
    sentence = "no silence {silence_id} of {unit} stands: there is nothing to end"


class Silence(Command):
    """Have subscribers left in peace with these alerts of a unit and all below it, with a reason, until a moment."""

    unit: UnitId
    up_to_level: SilencedLevel = 3
    changes: Annotated[tuple[AlertChange, ...], Field(max_length=4)] = ()
    kinds: Annotated[tuple[KindGroup, ...], Field(max_length=10)] = ()
    until: Instant
    reason: SilenceReason
    note: Text | None = None


TAKES_BACK = frozenset({AlertChange.CORRECTED, AlertChange.CANCELLED})
"""Changes of which whoever was told of the one before hears, whatever filters and silences say."""


def silence(
    alerting: Alerting,
    command: Silence,
    act: Act,
    *,
    person: UUID,
    silence_id: UUID,
    place: tuple[str, tuple[Code, ...]] | None,
) -> tuple[AlertSilenced, ...]:
    """Begin a silence beside those that stand; `place` is the unit's name and codes, None where there are no alerts of
    it."""
    if place is None:
        raise BadInput.field("unit", "a commune in force, or a unit above the communes", "choose one of these")
    if not act.at < command.until <= act.at + LONGEST_SILENCE:
        raise BadInput.field(
            "until", f"a moment to come, at most {LONGEST_SILENCE.days} days from now", "correct it, and renew it then"
        )
    if taken_back := TAKES_BACK.intersection(command.changes):
        raise BadInput.field(
            "changes", "raised or lowered", f"leave out {', '.join(sorted(taken_back))}: it is told in any case"
        )
    standing = [until for until in alerting.silenced_until.values() if until > act.at]
    if len(standing) >= MOST_SILENCES:
        raise TooManySilences(count=len(standing), unit=command.unit)
    unit_name, codes = place
    return (
        AlertSilenced(
            silence_id=silence_id,
            unit=command.unit,
            unit_name=unit_name,
            codes=codes,
            up_to_level=command.up_to_level,
            changes=tuple(sorted(set(command.changes))),
            kinds=tuple(sorted(set(command.kinds))),
            until=command.until,
            reason=command.reason,
            note=clear(command.note, KeyKind.PERSON, person),
        ),
    )


class EndSilence(Command):
    """Have subscribers told again before the time, and of what was held back as it stands."""

    unit: UnitId
    silence_id: UUID
    note: Text | None = None


def end_silence(alerting: Alerting, command: EndSilence, act: Act, *, person: UUID) -> tuple[AlertSilenceEnded, ...]:
    """End one that stands."""
    until = alerting.silenced_until.get(command.silence_id)
    if until is None or until <= act.at:
        raise NothingSilenced(silence_id=command.silence_id, unit=command.unit)
    note = clear(command.note, KeyKind.PERSON, person)
    return (AlertSilenceEnded(silence_id=command.silence_id, unit=command.unit, note=note),)


COMMANDS: tuple[type[Command], ...] = (Override, EndOverride, Acknowledge, Silence, EndSilence)
