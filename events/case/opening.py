"""How a case begins: opened on graded reports, or provisionally for a threat to life; ratified or not; classified."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field

from events.case.events import CaseClassified, CaseEvent, CaseNotRatified, CaseOpened, CaseRatified
from events.case.linking import Evidence, LinkReport, linked
from events.case.refusals import (
    CaseOpenAlready,
    NothingGraded,
    NoThreatToLife,
    NotProvisional,
    NotTheirsToOpen,
)
from events.case.standing import Vote, exists, takes_work
from events.case.state import Case
from events.command import Command, Text, clear
from events.event import Act
from events.sealed import KeyKind
from events.stated import When, dates_of
from events.vocabulary import ActorClass, Channel, Kind, Located, PlacePrecision, Role, Severity, UnitId

MAY_OPEN_PROVISIONALLY = frozenset({Role.COORDINATOR, Role.REFERRAL_OFFICER})


class OpenCase(Command):
    """Open a case on reports, or `provisional` on no grade: one person, for a threat to life."""

    kind: Kind
    unit: UnitId
    place_precision: PlacePrecision
    reports: Annotated[tuple[LinkReport, ...], Field(max_length=200)] = ()
    occurred: When | None = None
    expected: When | None = None
    threat_to_life: bool = False
    provisional: bool = False
    severity: Severity | None = None
    summary: Text
    actor_class: Annotated[ActorClass | None, Field(repr=False)] = None


def open_case(
    case: Case,
    command: OpenCase,
    act: Act,
    *,
    place: Located,
    evidence: Sequence[Evidence],
    home: str,
    ratify_within: timedelta,
) -> tuple[CaseEvent, ...]:
    """Open a case at `place` and link its reports (`evidence`: as they stand); the rules say `ratify_within`."""
    if case.version:
        raise CaseOpenAlready()
    if command.provisional:
        if act.by.role not in MAY_OPEN_PROVISIONALLY:
            raise NotTheirsToOpen(role=act.by.role.value)
        if not command.threat_to_life:
            raise NoThreatToLife()
    elif not any(one.report.graded for one in evidence):
        raise NothingGraded()
    occurred, _ = dates_of("occurred", command.occurred, Channel.FORM, not_after=act.today)
    expected, _ = dates_of("expected", command.expected, Channel.FORM, not_after=None)
    opened = CaseOpened(
        kind=command.kind,
        place=place,
        occurred=occurred,
        expected=expected,
        threat_to_life=command.threat_to_life,
        provisional=command.provisional,
        severity=command.severity,
        ratify_by=act.at + ratify_within if command.provisional else None,
        summary=clear(command.summary, KeyKind.CASE, case.case_id),
        actor_class=clear(command.actor_class, KeyKind.CASE, case.case_id),
    )
    return (opened, *linked(case, evidence, home=home))


class Ratify(Vote):
    """The committee stands behind a provisional case."""


def ratify(case: Case, command: Ratify, act: Act, *, eligible: frozenset[UUID], required: int) -> tuple[CaseEvent, ...]:
    """Ratify, also after the deadline: late is better than never, and the log tells."""
    _provisional(case)
    return (CaseRatified(quorum=command.quorum(eligible, required)),)


class NotRatify(Vote):
    """The committee does not stand behind a provisional case."""

    reason: Text


def not_ratify(
    case: Case, command: NotRatify, act: Act, *, eligible: frozenset[UUID], required: int
) -> tuple[CaseEvent, ...]:
    """Do not ratify. Referrals already made go their way: who acts on them is told nothing is certain."""
    _provisional(case)
    reason = clear(command.reason, KeyKind.CASE, case.case_id)
    return (CaseNotRatified(quorum=command.quorum(eligible, required), reason=reason),)


def _provisional(case: Case) -> None:
    exists(case)
    if not case.provisional:
        raise NotProvisional()


class Classify(Command):
    """Say what kind of case it is; an actor class left out stays as it was."""

    kind: Kind
    sub_kind: Text | None = None
    actor_class: Annotated[ActorClass | None, Field(repr=False)] = None


def classify(case: Case, command: Classify, act: Act, *, current_actor: ActorClass | None) -> tuple[CaseEvent, ...]:
    """Classify; `current_actor` is the actor class as the vault opened it. A changed one voids every harm check."""
    takes_work(case)
    changed = command.actor_class is not None and command.actor_class != current_actor
    return (
        CaseClassified(
            kind=command.kind,
            sub_kind=clear(command.sub_kind, KeyKind.CASE, case.case_id),
            actor_class=clear(command.actor_class, KeyKind.CASE, case.case_id),
            actor_class_changed=changed,
        ),
    )


COMMANDS: tuple[type[Command], ...] = (OpenCase, Ratify, NotRatify, Classify)
