"""How a case ends: resolved when the danger is over, closed when the work is over; either can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from events.case.events import CaseClosed, CaseEvent, CaseReopened, CaseResolved
from events.case.linking import Evidence, LinkReport, linked
from events.case.refusals import (
    CaseIsClosed,
    NotEnded,
    NothingGraded,
    OpenReferrals,
    ReportDoesNotStand,
    WaitsForRatification,
)
from events.case.standing import done_by_now, exists, takes_work
from events.case.state import Case, Stage
from events.command import Command, Text, clear
from events.event import Act
from events.report.state import Standing
from events.sealed import KeyKind
from events.vocabulary import CaseOutcome, Instant, Mechanism, ReasonReopened, Resolver


class Resolve(Command):
    """The danger is over: how, by what, through whom."""

    outcome: CaseOutcome
    mechanism: Mechanism
    by: Resolver
    done_at: Instant | None = None
    note: Text | None = None


def resolve(case: Case, command: Resolve, act: Act) -> tuple[CaseEvent, ...]:
    """Resolve; referrals go on. A resolved case may be resolved again, when more is known of how."""
    takes_work(case)
    done_by_now(command.done_at, act)
    return (
        CaseResolved(
            outcome=command.outcome,
            mechanism=command.mechanism,
            by=command.by,
            done_at=command.done_at,
            note=clear(command.note, KeyKind.CASE, case.case_id),
        ),
    )


class Reopen(Command):
    """Open a case again that was resolved, closed or not ratified, and link `reports` that are new."""

    reason: ReasonReopened
    reports: Annotated[tuple[LinkReport, ...], Field(max_length=200)] = ()
    note: Text | None = None


def reopen(
    case: Case, command: Reopen, act: Act, *, evidence: Sequence[Evidence] = (), home: str = ""
) -> tuple[CaseEvent, ...]:
    """Reopen. `evidence` is the command's reports as they stand, `home` the case's.

    What the committee did not ratify stands on no grade, so one report must be graded; it may be linked already,
    also under an id that it had before it was received again.
    """
    exists(case)
    if case.stage == Stage.OPEN:
        raise NotEnded()
    if unread := {one.report_id for one in command.reports} - {one.report.report_id for one in evidence}:
        raise ReportDoesNotStand(report_id=min(unread))
    if case.not_ratified and not any(one.report.graded and one.report.standing == Standing.STANDS for one in evidence):
        raise NothingGraded()
    fresh = [one for one in evidence if case.linked.keys().isdisjoint(one.report.known_as)]
    reopened = CaseReopened(reason=command.reason, note=clear(command.note, KeyKind.CASE, case.case_id))
    return (reopened, *linked(case, fresh, home=home))


class Close(Command):
    """The work is over."""

    reason: Text


def close(case: Case, command: Close, act: Act, *, absorbed: Sequence[Case]) -> tuple[CaseEvent, ...]:
    """Close a case that waits for nothing: no ratification, no open referral, also not of a case merged into it.

    `absorbed` are all that were merged into it, directly or through another.
    """
    exists(case)
    if case.stage == Stage.CLOSED:
        raise CaseIsClosed()
    if case.provisional:
        raise WaitsForRatification()
    if still_open := sum(len(one.open_referrals) for one in (case, *absorbed)):
        raise OpenReferrals(count=still_open)
    return (CaseClosed(reason=clear(command.reason, KeyKind.CASE, case.case_id)),)


COMMANDS: tuple[type[Command], ...] = (Resolve, Reopen, Close)
