"""Which acts an absent, a closed, a merged and an unratified case take, and which a report that does not stand."""

from __future__ import annotations

from typing import Any

import pytest

from events.case import ending, judging, linking, opening, protection, referral
from events.case.events import CaseClosed, CaseMerged, CaseNotRatified
from events.case.referral import CheckOutcome, FailDelivery, MoveDeadline, check_outcome, fail_delivery
from events.case.refusals import CaseIsClosed, CaseIsMerged, CaseNotRatifiedStands, NoSuchCase
from events.case.state import Case
from events.command import Command, clear, read_command
from events.refusals import BadInput, Refusal
from events.report import decisions as reports
from events.report.events import ReportSuperseded, ReportWithdrawn
from events.report.refusals import AnotherRound, NoSuchReport, ReportSupersededAlready, ReportWithdrawnAlready
from events.report.state import Report
from events.report.state import evolve as evolve_report
from events.reporter import AssignCoverage
from events.sealed import KeyKind
from events.stated import HarmStated
from events.vocabulary import Quorum, Withdrawal
from tests.support.domain import (
    CASE,
    LATER,
    OTHER_HOME,
    SOON,
    act,
    given_case,
    given_report,
    graded,
    one,
    received,
    report,
)
from tests.unit.events.every_act import DEEDS, DONE, REFERRED, STEP, VOTED, Deed

CLOSED = CaseClosed(reason=clear("over", KeyKind.CASE, CASE))
AWAY = CaseMerged(into=one("third"))
NOT_RATIFIED = CaseNotRatified(
    quorum=Quorum(eligible=4, recused=0, required=2, in_favour=2), reason=clear("too little", KeyKind.CASE, CASE)
)

ON_CASES = [deed for deed in DEEDS if isinstance(deed.states[0], Case)]
ON_REPORTS = [deed for deed in DEEDS if isinstance(deed.states[0], Report)]

WHATEVER_BECAME_OF_IT: set[type[Command]] = {
    linking.UnlinkReport,
    linking.Unrelate,
    judging.RecordAction,
    protection.WithdrawConsent,
    referral.Acknowledge,
    referral.Accept,
    referral.Decline,
    referral.Complete,
    referral.Revoke,
    referral.FailDelivery,
    referral.MoveDeadline,
    referral.CheckOutcome,
}
"""What puts right, protects or tells what was done is taken by a case in every state, also merged away."""

NOT_WHERE_WORK_IS_OVER: set[type[Command]] = {
    opening.Classify,
    linking.LinkReport,
    linking.Merge,
    judging.Assess,
    judging.Decide,
    protection.CheckHarm,
    protection.ReleaseCheck,
    protection.RecordConsent,
    protection.ActWithoutConsent,
    referral.Refer,
    ending.Resolve,
}


def refusal_of(deed: Deed, *events: Any) -> Refusal | None:
    state, *others = deed.states
    for event in events:
        state = deed.evolve(state, event)
    try:
        deed.decide(state, *others)
    except Refusal as refusal:
        return refusal
    return None


FROM_NOTHING = (opening.OpenCase, reports.Receive)
"""What begins a stream."""

TWO_STREAMS = (linking.ReverseMerge,)
"""Refused by what the two say of each other, in its own test."""

CASES = [deed for deed in ON_CASES if not isinstance(deed.command, FROM_NOTHING + TWO_STREAMS)]
REPORTS = [deed for deed in ON_REPORTS if not isinstance(deed.command, FROM_NOTHING)]
ALWAYS = [deed for deed in CASES if type(deed.command) in WHATEVER_BECAME_OF_IT]
SOMETIMES = [deed for deed in CASES if type(deed.command) not in WHATEVER_BECAME_OF_IT]
WORK = [deed for deed in CASES if type(deed.command) in NOT_WHERE_WORK_IS_OVER]


def test_the_sets_name_acts_there_are() -> None:
    assert len(ALWAYS) == len(WHATEVER_BECAME_OF_IT)
    assert len(WORK) == len(NOT_WHERE_WORK_IS_OVER)


@pytest.mark.parametrize("deed", CASES, ids=lambda deed: deed.id)
def test_a_case_that_was_never_opened_takes_nothing_but_its_opening(deed: Deed) -> None:
    with pytest.raises(NoSuchCase):
        deed.decide(Case(CASE), *deed.states[1:])


@pytest.mark.parametrize("deed", ALWAYS, ids=lambda deed: deed.id)
@pytest.mark.parametrize("event", [CLOSED, NOT_RATIFIED, AWAY], ids=lambda event: event.name)
def test_what_puts_right_protects_or_tells_is_taken_whatever_became_of_the_case(deed: Deed, event: Any) -> None:
    assert refusal_of(deed, event) is None


@pytest.mark.parametrize("deed", WORK, ids=lambda deed: deed.id)
def test_a_case_takes_no_work_where_it_was_closed_or_not_ratified(deed: Deed) -> None:
    assert type(refusal_of(deed, CLOSED)) is CaseIsClosed
    assert type(refusal_of(deed, NOT_RATIFIED)) is CaseNotRatifiedStands


@pytest.mark.parametrize("deed", SOMETIMES, ids=lambda deed: deed.id)
def test_a_case_merged_away_takes_nothing_else(deed: Deed) -> None:
    assert type(refusal_of(deed, AWAY)) is CaseIsMerged


@pytest.mark.parametrize("deed", REPORTS, ids=lambda deed: deed.id)
def test_a_report_that_does_not_stand_takes_nothing(deed: Deed) -> None:
    with pytest.raises(NoSuchReport):
        deed.decide(report(), *deed.states[1:])
    assert type(refusal_of(deed, ReportWithdrawn(reason=Withdrawal.FALSE))) is ReportWithdrawnAlready
    gone = ReportSuperseded(received_again_as=one("x"), home=OTHER_HOME)
    assert type(refusal_of(deed, gone)) is ReportSupersededAlready


@pytest.mark.parametrize(
    ("decide", "command", "facts"),
    [
        (reports.recuse, reports.Recuse(round=2, reason="other"), {}),
        (reports.conclude, reports.Conclude(round=2, reliability="F", credibility="2"), VOTED),
    ],
)
def test_nobody_stands_aside_from_or_concludes_a_round_to_come(
    decide: Any, command: Any, facts: dict[str, Any]
) -> None:
    given_report(received(), graded()).when(decide, command, **facts).refused(AnotherRound)


def test_a_history_cut_before_the_receiving_takes_a_correction_without_content() -> None:
    (correction,) = reports.correct(report(received()), reports.Correct(kind="tension", reason="x"), act())
    assert evolve_report(report(), correction).content is None


@pytest.mark.parametrize(
    ("decide", "command", "facts"),
    [
        (fail_delivery, FailDelivery(**STEP, means="phone", done_at=LATER), {}),
        (check_outcome, CheckOutcome(**STEP, outcome="confirmed", done_at=LATER), {"is_recipient": False}),
    ],
)
def test_nothing_was_done_in_the_future(decide: Any, command: Any, facts: dict[str, Any]) -> None:
    events = (*REFERRED, DONE) if decide is check_outcome else REFERRED
    given_case(*events).when(decide, command, **facts).refused(BadInput)


@pytest.mark.parametrize("outcome", ["confirmed", "unknown"])
def test_an_outcome_that_is_not_contradicted_opens_nothing_again(outcome: str) -> None:
    command = CheckOutcome(**STEP, outcome=outcome)
    then = given_case(*REFERRED, DONE, CLOSED).when(check_outcome, command, is_recipient=False)
    assert [event.name for event in then.events] == ["case.referral_outcome_checked"]


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (HarmStated, {"what": "killed", "min": 2, "max": 1}),
        (AssignCoverage, {"units": ["a", "a"], "channel": "sms", "cadence_days": 7}),
        (MoveDeadline, {**STEP, "acknowledge_by": LATER, "act_by": SOON, "reason": "the road is cut"}),
    ],
)
def test_values_that_contradict_each_other_are_bad_input(command: type[Command], fields: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        read_command(command, fields)
