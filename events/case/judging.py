"""What the network makes of a case: the committee's assessments, tolls, explicit decisions, acts that were done."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from events.case.events import CaseActionRecorded, CaseAssessed, CaseDecided, CaseEvent, CaseHarmRecorded, Dissent
from events.case.refusals import AnotherAssessmentRound, NoSuchReferral, NotLinked, TollCountsElsewhere
from events.case.standing import Vote, done_by_now, exists, opened, takes_work
from events.case.state import Case, Stage
from events.command import Command, Text, clear
from events.event import Act
from events.sealed import KeyKind
from events.stated import HarmStated
from events.vocabulary import (
    ActionKind,
    Basis,
    Circulating,
    Count,
    Credibility,
    Decided,
    HarmKind,
    Instant,
    Resolver,
    Round,
    Severity,
    VerificationState,
)


class Dissenting(Command):
    """A member's differing view; what is left out agrees with the rest."""

    by: UUID
    verification_state: VerificationState | None = None
    credibility: Credibility | None = None
    severity: Severity | None = None
    note: Text | None = None


class Assess(Vote):
    """The committee's view of a case in its next round."""

    round: Round
    verification_state: VerificationState
    credibility: Credibility
    severity: Severity
    harm: Annotated[tuple[HarmStated, ...], Field(max_length=12)] = ()
    circulating: Circulating = Circulating.UNKNOWN
    dissent: Annotated[tuple[Dissenting, ...], Field(max_length=200)] = ()
    evidence: Annotated[frozenset[UUID], Field(max_length=1_000)] = frozenset()
    note: Text | None = None

    @model_validator(mode="after")
    def _one_dissent_each(self) -> Self:
        if len({one.by for one in self.dissent}) != len(self.dissent):
            raise ValueError("one dissent a member; join the two")
        return self


def assess(case: Case, command: Assess, act: Act, *, eligible: frozenset[UUID], required: int) -> tuple[CaseEvent, ...]:
    """Assess in the next round; earlier rounds are kept, and every dissent with them."""
    takes_work(case)
    if command.round != case.round + 1:
        raise AnotherAssessmentRound(next=case.round + 1, asked=command.round)
    if unknown := command.evidence - case.linked.keys():
        raise NotLinked(report_id=min(unknown))
    dissenting = frozenset(one.by for one in command.dissent)
    return (
        CaseAssessed(
            round=command.round,
            verification_state=command.verification_state,
            credibility=command.credibility,
            severity=command.severity,
            harm=tuple(harm.stated() for harm in command.harm),
            circulating=command.circulating,
            quorum=command.quorum(eligible, required, dissenting=dissenting),
            dissent=tuple(_kept(one, case.case_id) for one in command.dissent),
            evidence=tuple(sorted(command.evidence)),
            note=clear(command.note, KeyKind.CASE, case.case_id),
        ),
    )


def _kept(one: Dissenting, case_id: UUID) -> Dissent:
    return Dissent(
        by=one.by,
        verification_state=one.verification_state,
        credibility=one.credibility,
        severity=one.severity,
        note=clear(one.note, KeyKind.CASE, case_id),
    )


class RecordHarm(Command):
    """Record a toll of one kind as a range; `counted_in` names the case that counts it, this one where left out."""

    what: HarmKind
    min: Count | None = None
    max: Count | None = None
    basis: Basis
    counted_in: UUID | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min not above max; exchange the two")
        return self


def record_harm(case: Case, command: RecordHarm, act: Act, *, counting: Case | None) -> tuple[CaseEvent, ...]:
    """Record a toll. `counting` is the case named by `counted_in`, where that is another one.

    It must count this kind itself and not be merged away, so that no toll is lost in a circle or counted twice.
    """
    exists(case)
    counted_in = command.counted_in or case.case_id
    if counted_in != case.case_id:
        known = counting is not None and counting.case_id == counted_in and counting.stage != Stage.ABSENT
        if counting is not None and known:
            exists(counting)
        if counting is None or not known or counting.counted_in.get(command.what) != counted_in:
            raise TollCountsElsewhere(counted_in=counted_in)
    return (
        CaseHarmRecorded(
            what=command.what, min=command.min, max=command.max, basis=command.basis, counted_in=counted_in
        ),
    )


class Decide(Command):
    """An explicit choice, also not to act, with its reason."""

    choice: Decided
    reason: Text
    done_at: Instant | None = None


def decide(case: Case, command: Decide, act: Act) -> tuple[CaseEvent, ...]:
    takes_work(case)
    done_by_now(command.done_at, act)
    return (
        CaseDecided(
            choice=command.choice,
            by=act.by.ref,
            reason=clear(command.reason, KeyKind.CASE, case.case_id),
            done_at=command.done_at,
        ),
    )


class RecordAction(Command):
    """Record what somebody did about it."""

    what: ActionKind
    by: Resolver
    referral_id: UUID | None = None
    done_at: Instant | None = None
    note: Text | None = None


def record_action(case: Case, command: RecordAction, act: Act) -> tuple[CaseEvent, ...]:
    """Record an act, also in a closed or merged case: what was done is never unsayable."""
    opened(case)
    done_by_now(command.done_at, act)
    if command.referral_id is not None and command.referral_id not in case.referrals:
        raise NoSuchReferral()
    return (
        CaseActionRecorded(
            what=command.what,
            by=command.by,
            referral_id=command.referral_id,
            done_at=command.done_at,
            note=clear(command.note, KeyKind.CASE, case.case_id),
        ),
    )


COMMANDS: tuple[type[Command], ...] = (Assess, RecordHarm, Decide, RecordAction)
