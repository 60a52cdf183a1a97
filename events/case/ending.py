"""How a case ends: resolved when the danger is over, closed when the work is over; either can be taken back."""

from __future__ import annotations

from pydantic import AwareDatetime

from events.case.events import CaseClosed, CaseEvent, CaseReopened, CaseResolved
from events.case.refusals import CaseIsClosed, NotEnded, OpenReferrals, WaitsForRatification
from events.case.standing import done_by_now, exists, takes_work
from events.case.state import Case, Stage
from events.command import Command, Text, clear
from events.event import Act
from events.sealed import KeyKind
from events.vocabulary import CaseOutcome, Mechanism, ReasonReopened, Resolver


class Resolve(Command):
    """The danger is over: how, by what, through whom."""

    outcome: CaseOutcome
    mechanism: Mechanism
    by: Resolver
    done_at: AwareDatetime | None = None
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
    """Open a case again that was resolved, closed or not ratified."""

    reason: ReasonReopened
    note: Text | None = None


def reopen(case: Case, command: Reopen, act: Act) -> tuple[CaseEvent, ...]:
    exists(case)
    if case.stage == Stage.OPEN:
        raise NotEnded()
    return (CaseReopened(reason=command.reason, note=clear(command.note, KeyKind.CASE, case.case_id)),)


class Close(Command):
    """The work is over."""

    reason: Text


def close(case: Case, command: Close, act: Act) -> tuple[CaseEvent, ...]:
    """Close a case that waits for nothing: no ratification, no open referral."""
    exists(case)
    if case.stage == Stage.CLOSED:
        raise CaseIsClosed()
    if case.provisional:
        raise WaitsForRatification()
    if case.open_referrals:
        raise OpenReferrals(count=len(case.open_referrals))
    return (CaseClosed(reason=clear(command.reason, KeyKind.CASE, case.case_id)),)


COMMANDS: tuple[type[Command], ...] = (Resolve, Reopen, Close)
