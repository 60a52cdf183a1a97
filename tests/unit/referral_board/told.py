"""Given a log, what the referral board told of answers that did not come, in sentences short enough to compare."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from events.case.events import (
    CaseActionRecorded,
    CaseAssessed,
    CaseDecided,
    CaseReferralAccepted,
    CaseReferralAcknowledged,
    CaseReferralCompleted,
    CaseReferralDeadlineMoved,
    CaseReferralOutcomeChecked,
    CaseReopened,
    CaseResolved,
)
from events.command import clear
from events.level import ResponseEscalated, ResponseOverdue
from events.reference import ClockTicked, EngineAdopted, RulesAdopted, TickReason
from events.sealed import KeyKind
from events.vocabulary import (
    ActionKind,
    CaseOutcome,
    Credibility,
    Decided,
    Mechanism,
    Quorum,
    ReasonReopened,
    Resolver,
    VerificationState,
)
from projections.referral_board import PROJECTION
from tests.support.domain import CASE, INES, LATER, NOW, SOON, one
from tests.support.projected import folded
from tests.support.written import Written

CASE_STREAM = f"case/{CASE}"
REFERRAL = one("referral")
RULES = "[response.answer_within_hours]\nsevere = 24\nextreme = 6\n"
FAR = NOW + timedelta(days=30)
QUORUM = Quorum(eligible=4, recused=0, required=2, in_favour=2)

REASON = clear("as agreed", KeyKind.CASE, CASE)
DECIDED = CaseDecided(choice=Decided.NO_ACTION, by=INES.ref, reason=REASON)
ACTED = CaseActionRecorded(what=ActionKind.VISIT, by=Resolver.NETWORK)
RESOLVED = CaseResolved(outcome=CaseOutcome.SETTLED, mechanism=Mechanism.MEDIATION, by=Resolver.NETWORK)
REOPENED = CaseReopened(reason=ReasonReopened.DANGER_RETURNED)


def spoken(rules: str = RULES) -> Written:
    """A log on which the engine speaks and rules are in force."""
    log = Written().write("reference/engines", EngineAdopted(projection="referral_board", number=1))
    return ruled(log, rules)


def ruled(log: Written, rules: str) -> Written:
    return log.write("reference/rules", RulesAdopted(rule_set="any", content_hash="0" * 64, content=rules))


def tick(log: Written) -> Written:
    return log.write("reference/clock", ClockTicked(nominal=log.now, reason=TickReason.DUE))


def told(log: Written) -> list[tuple[str, int]]:
    """What was told, in order: (what is awaited, which time)."""
    return [(one.data.awaited, one.data.step) for one in overdue(log)]


def overdue(log: Written) -> list[Any]:
    _, derived = folded(PROJECTION, log.events)
    assert all(isinstance(one.data, ResponseOverdue | ResponseEscalated) for one in derived)
    return [one for one in derived if isinstance(one.data, ResponseOverdue)]


def climbed(log: Written) -> list[tuple[int, int, str, float]]:
    """(step, rung, whom, hours after NOW) of every rung that was told, in order."""
    _, derived = folded(PROJECTION, log.events)
    said = [one.data for one in derived if isinstance(one.data, ResponseEscalated)]
    return [(one.step, one.rung, one.tell, (one.due - NOW).total_seconds() / 3600) for one in said]


def assessed(severity: str, round_number: int = 1) -> CaseAssessed:
    return CaseAssessed(
        round=round_number,
        verification_state=VerificationState.PROBABLY_TRUE,
        credibility=Credibility.TWO,
        severity=severity,
        quorum=QUORUM,
    )


def acknowledged() -> CaseReferralAcknowledged:
    return CaseReferralAcknowledged(referral_id=REFERRAL)


def accepted() -> CaseReferralAccepted:
    return CaseReferralAccepted(referral_id=REFERRAL)


def completed(**fields: Any) -> CaseReferralCompleted:
    return CaseReferralCompleted(**{"referral_id": REFERRAL, "successful": True, **fields})


def found(outcome: str) -> CaseReferralOutcomeChecked:
    return CaseReferralOutcomeChecked(referral_id=REFERRAL, outcome=outcome, by=INES.ref)


def moved(acknowledge_by: Any = SOON, act_by: Any = LATER) -> CaseReferralDeadlineMoved:
    reason = clear("the road is cut", KeyKind.CASE, CASE)
    return CaseReferralDeadlineMoved(referral_id=REFERRAL, acknowledge_by=acknowledge_by, act_by=act_by, reason=reason)
