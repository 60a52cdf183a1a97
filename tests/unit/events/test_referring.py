"""A referral's steps may be skipped but never go back, except where its outcome is found contradicted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.case.ending import Close, Reopen, Resolve, close, reopen, resolve
from events.case.events import (
    CaseClosed,
    CaseMerged,
    CaseNotRatified,
    CaseReferralAccepted,
    CaseReferralAcknowledged,
    CaseReferralCompleted,
    CaseReferralDeadlineMoved,
    CaseReferralDeclined,
    CaseReferralDeliveryFailed,
    CaseReferralOutcomeChecked,
    CaseReferralRevoked,
    CaseReopened,
    CaseResolved,
)
from events.case.referral import (
    Accept,
    Acknowledge,
    CheckOutcome,
    Complete,
    Decline,
    FailDelivery,
    MoveDeadline,
    Refer,
    Revoke,
    accept,
    acknowledge,
    check_outcome,
    complete,
    decline,
    fail_delivery,
    move_deadline,
    refer,
    revoke,
)
from events.case.refusals import (
    CaseIsClosed,
    NoSuchCase,
    NoSuchReferral,
    NotCompleted,
    NotEnded,
    OpenReferrals,
    RecipientChecksItself,
    ReferralGoesBack,
)
from events.case.state import Reached, Stage
from events.command import clear, read_command
from events.event import Event
from events.refusals import BadInput
from events.sealed import KeyKind
from events.vocabulary import (
    CaseOutcome,
    Means,
    Mechanism,
    OutcomeFound,
    Quorum,
    ReasonDeclined,
    ReasonReopened,
    ReasonRevoked,
    RecordedBy,
    Resolver,
)
from tests.support import domain
from tests.support.domain import (
    CASE,
    CLINIC_NURSE,
    INES,
    LATER,
    NOW,
    OLIVE,
    SOON,
    agreed,
    case,
    checked,
    given_case,
    one,
    opened,
    provisional,
    recipient,
    referred,
)

OF = one("referral")
READY: tuple[Event, ...] = (opened(), checked(), agreed())
REFERRED: tuple[Event, ...] = (*READY, referred())
CLOSED = CaseClosed(reason=clear("over", KeyKind.CASE, CASE))
RESOLVED = CaseResolved(outcome=CaseOutcome.HARM_DONE, mechanism=Mechanism.ITSELF, by=Resolver.UNKNOWN)
AT: dict[str, Event] = {
    "acknowledged": CaseReferralAcknowledged(referral_id=OF),
    "accepted": CaseReferralAccepted(referral_id=OF),
    "declined": CaseReferralDeclined(referral_id=OF, reason=ReasonDeclined.UNSAFE),
    "completed": CaseReferralCompleted(referral_id=OF, successful=True),
    "revoked": CaseReferralRevoked(referral_id=OF, reason=ReasonRevoked.SENT_BY_MISTAKE),
}
STEPS: dict[str, tuple[Any, Any]] = {
    "acknowledged": (acknowledge, Acknowledge(referral_id=OF)),
    "accepted": (accept, Accept(referral_id=OF)),
    "declined": (decline, Decline(referral_id=OF, reason="unsafe")),
    "completed": (complete, Complete(referral_id=OF, successful=True)),
    "revoked": (revoke, Revoke(referral_id=OF, reason="sent_by_mistake")),
}
ALLOWED = {
    "referred": {"acknowledged", "accepted", "declined", "completed", "revoked"},
    "acknowledged": {"accepted", "declined", "completed", "revoked"},
    "accepted": {"completed", "revoked"},
    "declined": set[str](),
    "completed": set[str](),
    "revoked": set[str](),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("reached", ALLOWED)
def test_steps_may_be_skipped_but_never_go_back(reached: str, step: str) -> None:
    given = given_case(*REFERRED, *([AT[reached]] if reached in AT else []))
    then = given.when(*STEPS[step])
    if step in ALLOWED[reached]:
        assert then.then(AT[step]).referrals[OF].reached == Reached[step.upper()]
    else:
        then.refused(ReferralGoesBack)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_an_unknown_referral_or_case_is_refused(step: str) -> None:
    given_case(*READY).when(*STEPS[step]).refused(NoSuchReferral)
    given_case().when(*STEPS[step]).refused(NoSuchCase)


def test_a_step_typed_in_later_says_by_whom_how_and_when_it_was_done() -> None:
    done_at = NOW - timedelta(days=2)
    command = Accept(referral_id=OF, recorded_by="operator", means="phone", done_at=done_at)
    given_case(*REFERRED).when(accept, command).then(
        CaseReferralAccepted(referral_id=OF, recorded_by=RecordedBy.OPERATOR, means=Means.PHONE, done_at=done_at)
    )
    ahead = Accept(referral_id=OF, done_at=NOW + timedelta(seconds=1))
    given_case(*REFERRED).when(accept, ahead).refused(BadInput)


@pytest.mark.parametrize("fields", [{"successful": False}, {"successful": True, "reason_not": "other"}])
def test_why_not_is_said_exactly_where_it_did_not_succeed(fields: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        read_command(Complete, {"referral_id": str(OF), **fields})
    command = Complete(referral_id=OF, successful=False, reason_not="refused_services")
    given_case(*REFERRED).when(complete, command).accepted()


def test_a_failed_delivery_is_recorded_until_the_recipient_has_it() -> None:
    command = FailDelivery(referral_id=OF, means="phone")
    state = (
        given_case(*REFERRED)
        .when(fail_delivery, command)
        .then(CaseReferralDeliveryFailed(referral_id=OF, means=Means.PHONE))
    )
    assert state.referrals[OF].reached == Reached.REFERRED
    given_case(*REFERRED, AT["acknowledged"]).when(fail_delivery, command).refused(ReferralGoesBack)


# --- deadlines --------------------------------------------------------------------------------------------------------


def test_deadlines_can_be_moved_with_a_reason() -> None:
    later = LATER + timedelta(days=1)
    command = MoveDeadline(referral_id=OF, acknowledge_by=SOON, act_by=later, reason="the road is cut")
    reason = clear("the road is cut", KeyKind.CASE, CASE)
    state = (
        given_case(*REFERRED)
        .when(move_deadline, command)
        .then(CaseReferralDeadlineMoved(referral_id=OF, acknowledge_by=SOON, act_by=later, reason=reason))
    )
    assert (state.referrals[OF].acknowledge_by, state.referrals[OF].act_by) == (SOON, later)
    assert state.referrals[OF].reached == Reached.REFERRED
    with pytest.raises(BadInput):
        read_command(MoveDeadline, command.model_dump(mode="json", exclude={"reason"}))


def test_a_deadline_is_not_moved_into_the_past_nor_after_the_referral_ended() -> None:
    past = MoveDeadline(referral_id=OF, acknowledge_by=NOW, act_by=NOW, reason="late")
    given_case(*REFERRED).when(move_deadline, past).refused(BadInput)
    moved = MoveDeadline(referral_id=OF, acknowledge_by=SOON, act_by=LATER, reason="late")
    given_case(*REFERRED, AT["completed"]).when(move_deadline, moved).refused(ReferralGoesBack)


def refer_facts() -> dict[str, Any]:
    return {"by": OLIVE, "referral_id": OF, "recipient": recipient()}


def test_a_referral_has_deadlines_to_come_unless_it_was_made_before_it_was_typed_in() -> None:
    given = given_case(*READY)
    given.when(refer, domain.refer(acknowledge_by=NOW), **refer_facts()).refused(BadInput)
    yesterday = NOW - timedelta(days=1)
    made = domain.refer(acknowledge_by=NOW - timedelta(hours=1), done_at=yesterday)
    given.when(refer, made, **refer_facts()).accepted()
    given.when(refer, domain.refer(done_at=SOON - timedelta(hours=1)), **refer_facts()).refused(BadInput)


@pytest.mark.parametrize("fields", [{"acknowledge_by": LATER, "act_by": SOON}, {"acknowledge_by": NOW, "done_at": NOW}])
def test_deadlines_out_of_order_are_bad_input(fields: dict[str, Any]) -> None:
    body = {**domain.refer().model_dump(mode="json", exclude_none=True), **fields}
    with pytest.raises(BadInput):
        read_command(Refer, body)


def test_a_referral_may_follow_another_of_the_case_and_no_other() -> None:
    facts = {**refer_facts(), "referral_id": one("next")}
    given_case(*REFERRED).when(refer, domain.refer(follows=OF), **facts).accepted()
    given_case(*READY).when(refer, domain.refer(follows=one("nowhere")), **facts).refused(NoSuchReferral)


# --- outcomes ---------------------------------------------------------------------------------------------------------


def found(outcome: OutcomeFound) -> CaseReferralOutcomeChecked:
    return CaseReferralOutcomeChecked(referral_id=OF, outcome=outcome, by=INES.ref)


def outcome(word: str) -> CheckOutcome:
    return CheckOutcome(referral_id=OF, outcome=word)


def test_an_outcome_found_contradicted_opens_the_referral_again_and_its_steps_are_taken_anew() -> None:
    given = given_case(*REFERRED, AT["completed"])
    state = given.when(check_outcome, outcome("contradicted"), is_recipient=False).then(
        found(OutcomeFound.CONTRADICTED)
    )
    assert (state.referrals[OF].reached, state.referrals[OF].contradicted) == (Reached.REFERRED, 1)
    again = given_case(*REFERRED, AT["completed"], found(OutcomeFound.CONTRADICTED))
    for step in STEPS.values():
        again.when(*step).accepted()


@pytest.mark.parametrize("word", ["confirmed", "unknown"])
def test_any_other_outcome_leaves_it_completed(word: str) -> None:
    given = given_case(*REFERRED, AT["completed"])
    state = given.when(check_outcome, outcome(word), is_recipient=False).then(found(OutcomeFound.read(word)))
    assert (state.referrals[OF].reached, state.referrals[OF].outcome) == (Reached.COMPLETED, word)


def test_a_recipient_does_not_check_its_own_outcome() -> None:
    given = given_case(*REFERRED, AT["completed"])
    given.when(check_outcome, outcome("confirmed"), is_recipient=True).refused(RecipientChecksItself)
    given.when(check_outcome, outcome("confirmed"), by=CLINIC_NURSE, is_recipient=False).refused(RecipientChecksItself)


@pytest.mark.parametrize("reached", [[], [AT["accepted"]], [AT["declined"]], [AT["revoked"]]])
def test_only_a_completed_referral_has_an_outcome(reached: list[Event]) -> None:
    given = given_case(*REFERRED, *reached)
    given.when(check_outcome, outcome("confirmed"), is_recipient=False).refused(NotCompleted)


def test_an_outcome_found_contradicted_opens_a_closed_case_again() -> None:
    given = given_case(*REFERRED, AT["completed"], CLOSED)
    state = given.when(check_outcome, outcome("contradicted"), is_recipient=False).then(
        found(OutcomeFound.CONTRADICTED), CaseReopened(reason=ReasonReopened.OUTCOME_CONTRADICTED)
    )
    assert (state.stage, state.open_referrals) == (Stage.OPEN, (OF,))


def test_it_does_not_undo_the_committees_word_on_a_case_that_was_not_ratified() -> None:
    quorum = Quorum(eligible=4, recused=0, required=2, in_favour=2)
    not_ratified = CaseNotRatified(quorum=quorum, reason=clear("too little", KeyKind.CASE, CASE))
    given = given_case(provisional(), checked(), agreed(), referred(), AT["completed"], not_ratified, CLOSED)
    state = given.when(check_outcome, outcome("contradicted"), is_recipient=False).then(
        found(OutcomeFound.CONTRADICTED)
    )
    assert (state.stage, state.open_referrals) == (Stage.CLOSED, (OF,))


# --- resolved and closed ----------------------------------------------------------------------------------------------


def test_resolved_does_not_forbid_referrals_and_closed_does() -> None:
    given_case(*READY, RESOLVED).when(refer, domain.refer(), **refer_facts()).then(referred())
    given_case(*READY, CLOSED).when(refer, domain.refer(), **refer_facts()).refused(CaseIsClosed)
    given_case(*READY, RESOLVED, CLOSED).when(refer, domain.refer(), **refer_facts()).refused(CaseIsClosed)


def test_resolving_revokes_no_referral() -> None:
    command = Resolve(outcome="harm_done", mechanism="itself", by="unknown")
    state = given_case(*REFERRED, AT["accepted"]).when(resolve, command).then(RESOLVED)
    assert (state.stage, state.open_referrals) == (Stage.RESOLVED, (OF,))
    given_case(*READY, CLOSED).when(resolve, command).refused(CaseIsClosed)


def test_a_case_with_an_open_referral_is_not_closed() -> None:
    command = Close(reason="over")
    given_case(*REFERRED).when(close, command, absorbed=[]).refused(OpenReferrals)
    given_case(*REFERRED, AT["accepted"], RESOLVED).when(close, command, absorbed=[]).refused(OpenReferrals)
    for ended in ("declined", "completed", "revoked"):
        assert given_case(*REFERRED, AT[ended]).when(close, command, absorbed=[]).then(CLOSED).stage == Stage.CLOSED
    given_case(*READY, CLOSED).when(close, command, absorbed=[]).refused(CaseIsClosed)


def test_a_case_is_not_closed_over_an_open_referral_of_one_merged_into_it() -> None:
    open_in_it = case(*REFERRED, CaseMerged(into=CASE), case_id=one("absorbed"))
    given = given_case(opened())
    closing = Close(reason="over")
    refusal = given.when(close, closing, absorbed=[case(opened()), open_in_it]).refused(OpenReferrals)
    assert "1 referrals" in str(refusal)
    done = case(*REFERRED, AT["completed"], CaseMerged(into=CASE), case_id=one("absorbed"))
    given.when(close, closing, absorbed=[done]).accepted()


def test_what_ended_is_opened_again_and_takes_referrals() -> None:
    command = Reopen(reason="danger_returned")
    given_case(opened()).when(reopen, command).refused(NotEnded)
    for ended in (RESOLVED, CLOSED):
        then = given_case(*READY, ended).when(reopen, command)
        assert then.then(CaseReopened(reason=ReasonReopened.DANGER_RETURNED)).stage == Stage.OPEN
        given_case(*READY, ended, *then.events).when(refer, domain.refer(), **refer_facts()).accepted()
