"""How cases hold together: reports linked to them, cases related or merged; every one of these can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from events.case.events import (
    CaseEvent,
    CaseMerged,
    CaseMergeReversed,
    CaseRelated,
    CaseReportLinked,
    CaseReportUnlinked,
    CaseUnrelated,
)
from events.case.refusals import (
    CaseIsMerged,
    GraverThanTheOther,
    ItselfMeant,
    LinkedAlready,
    MergedAcrossHomes,
    NoSuchCase,
    NotLinked,
    NotMerged,
    NotRelated,
    RelatedAlready,
    ReportDoesNotStand,
    ReportElsewhere,
    TollsCountedApart,
)
from events.case.standing import exists, opened, takes_work
from events.case.state import Case, Stage
from events.command import Command, Text, clear
from events.event import Act
from events.report.state import Report, Standing
from events.sealed import KeyKind
from events.vocabulary import HarmKind, Independence, Relation, Severity

GRAVE = (Severity.SEVERE, Severity.EXTREME)
"""Severities that want an answer, the gravest last."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A report as it stands, the home it lives in, and whether it is independent of the others."""

    report: Report
    home: str
    independent: Independence = Independence.UNKNOWN


def linked(case: Case, evidence: Sequence[Evidence], *, home: str) -> tuple[CaseEvent, ...]:
    """Events that link reports to a case in `home`; each must stand, live there and not be linked yet.

    A report received again is the report it was: while that one is linked, it would count twice.
    """
    taken = set(case.linked)
    events: list[CaseEvent] = []
    for one in evidence:
        report_id = one.report.report_id
        if one.report.standing != Standing.STANDS:
            raise ReportDoesNotStand(report_id=report_id)
        if one.home != home:
            raise ReportElsewhere(report_id=report_id)
        if again := taken & one.report.known_as:
            raise LinkedAlready(report_id=min(again))
        taken |= one.report.known_as
        events.append(CaseReportLinked(report_id=report_id, independent=one.independent))
    return tuple(events)


class LinkReport(Command):
    """Count a report as evidence of this case."""

    report_id: UUID
    independent: Independence = Independence.UNKNOWN


def link_report(
    case: Case, command: LinkReport, act: Act, *, report: Report, home: str, there: str
) -> tuple[CaseEvent, ...]:
    """Link the report that lives in home `there` to a case in `home`."""
    takes_work(case)
    if report.report_id != command.report_id:
        raise ReportDoesNotStand(report_id=command.report_id)
    return linked(case, [Evidence(report=report, home=there, independent=command.independent)], home=home)


class UnlinkReport(Command):
    """Count a report no longer as evidence of this case."""

    report_id: UUID
    reason: Text


def unlink_report(case: Case, command: UnlinkReport, act: Act) -> tuple[CaseEvent, ...]:
    """Unlink, also in a closed or merged case: what was wrong is put right whenever it is found."""
    opened(case)
    if command.report_id not in case.linked:
        raise NotLinked(report_id=command.report_id)
    reason = clear(command.reason, KeyKind.CASE, case.case_id)
    return (CaseReportUnlinked(report_id=command.report_id, reason=reason),)


class Relate(Command):
    """Say how this case stands to another, in whichever home."""

    case_id: UUID
    relation: Relation


def relate(case: Case, command: Relate, act: Act, *, other: Case, there: str) -> tuple[CaseEvent, ...]:
    """Relate to `other`, which lives in home `there`; nothing moves."""
    exists(case)
    if command.case_id == case.case_id:
        raise ItselfMeant()
    if other.stage == Stage.ABSENT or other.case_id != command.case_id:
        raise NoSuchCase()
    if (command.case_id, command.relation) in case.related:
        raise RelatedAlready()
    return (CaseRelated(case_id=command.case_id, home=there, relation=command.relation),)


class Unrelate(Command):
    """Take a relation back."""

    case_id: UUID
    relation: Relation


def unrelate(case: Case, command: Unrelate, act: Act) -> tuple[CaseEvent, ...]:
    """Take a relation back, also in a closed or merged case."""
    opened(case)
    if (command.case_id, command.relation) not in case.related:
        raise NotRelated()
    return (CaseUnrelated(case_id=command.case_id, relation=command.relation),)


class Merge(Command):
    """Two cases were one: this one is absorbed into another."""

    into: UUID


def merge(
    case: Case, command: Merge, act: Act, *, into: Case, home: str, there: str, asked_since: datetime | None = None
) -> tuple[tuple[CaseEvent, ...], tuple[CaseEvent, ...]]:
    """Merge `case` into another of the same home; events for its stream and for the other's.

    From then on `case` counts no toll: `into` counts for both, so it must have recorded each kind that `case` has. And
    nobody is asked for an answer to it: `into` is, by its own severity, so that must not be less where `case` is grave;
    and since `asked_since`, the moment from which `case` has wanted an answer in vain, so that no wait begins anew.
    """
    takes_work(case)
    takes_work(into)
    if into.case_id != command.into:
        raise NoSuchCase()
    if case.case_id == into.case_id:
        raise ItselfMeant()
    if home != there:
        raise MergedAcrossHomes()
    if apart := [what for what in case.counted_in if not _counts_for_both(case, into, what)]:
        raise TollsCountedApart(kinds=", ".join(sorted(apart)), into=into.case_id)
    if case.stage is Stage.OPEN and _gravity(case) > _gravity(into):
        raise GraverThanTheOther(severity=case.severity, into=into.case_id)
    return (CaseMerged(into=into.case_id),), (CaseMerged(absorbed=case.case_id, asked_since=asked_since),)


def _gravity(case: Case) -> int:
    return GRAVE.index(case.severity) + 1 if case.severity in GRAVE else 0


def _counts_for_both(case: Case, into: Case, what: HarmKind) -> bool:
    """Whether a toll counts once, and is not lost, when `case` counts nothing any more.

    Where `case` counts it, or says that `into` does, that is so when `into` has a toll that does not count in `case`
    again; where it says that a third case does, `into` must say so too.
    """
    here, there = case.counted_in[what], into.counted_in.get(what)
    if here == into.case_id:
        return True
    return there == (into.case_id if here == case.case_id else here)


class ReverseMerge(Command):
    """The two cases are two after all."""

    into: UUID


def reverse_merge(
    case: Case, command: ReverseMerge, act: Act, *, into: Case
) -> tuple[tuple[CaseEvent, ...], tuple[CaseEvent, ...]]:
    """Reverse a merging: both cases stand as before it, and what was done in the other since stays there.

    Each counts its own tolls again.
    """
    if case.merged_into != into.case_id or command.into != into.case_id:
        raise NotMerged()
    if into.merged_into is not None:
        raise CaseIsMerged(into=into.merged_into)
    return (CaseMergeReversed(into=into.case_id),), (CaseMergeReversed(absorbed=case.case_id),)


COMMANDS: tuple[type[Command], ...] = (LinkReport, UnlinkReport, Relate, Unrelate, Merge, ReverseMerge)
