"""What strangers are told: a unit's level changed, on a date, by which rules; nothing that points at a witness.

And what people of the network decide about it: that another level than the computed one is told, for a while.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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


AlertEvent: TypeAlias = AlertIssued | AlertOverridden | AlertOverrideEnded | AlertAcknowledged


@dataclass(frozen=True, slots=True)
class Alerting:
    """What people decided about the alerts of one unit: until when an override stands, if one does, and which alert
    somebody acknowledged last."""

    version: int = 0
    overridden_until: datetime | None = None
    acknowledged: UUID | None = None


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
    """Acknowledge an alert, which must be the unit's `last` one; the first to do so does it for all."""
    if command.alert_id != last:
        raise AnotherAlert(unit=command.unit, latest="none yet" if last is None else last)
    if alerting.acknowledged == last:
        raise AcknowledgedAlready(alert_id=last)
    note = clear(command.note, KeyKind.PERSON, person)
    return (AlertAcknowledged(unit=command.unit, alert_id=command.alert_id, note=note),)


COMMANDS: tuple[type[Command], ...] = (Override, EndOverride, Acknowledge)
