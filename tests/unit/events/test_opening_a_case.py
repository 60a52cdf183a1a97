"""A case opens on a grade, or provisionally by one person for a threat to life and then asks for ratification."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.case.ending import Close, Reopen, close, reopen
from events.case.events import CaseClosed, CaseNotRatified, CaseRatified
from events.case.judging import Decide, decide
from events.case.opening import NotRatify, Ratify, not_ratify, open_case, ratify
from events.case.referral import refer
from events.case.refusals import (
    CaseNotRatifiedStands,
    CaseOpenAlready,
    LinkedAlready,
    NoCommitteeQuorum,
    NothingGraded,
    NoThreatToLife,
    NotProvisional,
    NotTheirsToOpen,
    ReportDoesNotStand,
    ReportElsewhere,
    WaitsForRatification,
)
from events.case.state import Stage
from events.command import clear
from events.refusals import BadInput
from events.report.events import ReportWithdrawn
from events.sealed import KeyKind
from events.vocabulary import Actor, Quorum, Role, Withdrawal
from tests.support import domain
from tests.support.domain import (
    CASE,
    COLETTE,
    COMMITTEE,
    HOME,
    INES,
    JEAN,
    KEZA,
    LATER,
    NOW,
    OLIVE,
    OTHER_HOME,
    PLACE,
    REPORT,
    TODAY,
    agreed,
    checked,
    cited,
    evidence,
    given_case,
    graded,
    linked,
    one,
    opened,
    provisional,
    received,
    recipient,
)

WITHIN = timedelta(hours=48)
FACTS: dict[str, Any] = {"place": PLACE, "home": HOME, "ratify_within": WITHIN}
VOTED: dict[str, Any] = {"eligible": COMMITTEE, "required": 2}
QUORUM = Quorum(eligible=4, recused=0, required=2, in_favour=2)
FOR = {"in_favour": [INES.ref, JEAN.ref]}
NOT_RATIFIED = CaseNotRatified(quorum=QUORUM, reason=clear("too little", KeyKind.CASE, CASE))
CLOSED = CaseClosed(reason=clear("over", KeyKind.CASE, CASE))
UNGRADED = evidence(received())
THREAT = domain.open_case(provisional=True, threat_to_life=True)


def test_a_case_opens_on_a_graded_report_and_links_what_it_rests_on() -> None:
    ungraded = evidence(received(), report_id=one("second"))
    then = given_case().when(open_case, domain.open_case(), evidence=[evidence(), ungraded], **FACTS)
    state = then.then(opened(), linked(REPORT), linked(one("second")))
    assert (state.stage, state.provisional, state.ratify_by) == (Stage.OPEN, False, None)


@pytest.mark.parametrize("reports", [[], [UNGRADED]])
def test_a_case_does_not_open_on_no_grade(reports: list[Any]) -> None:
    given_case().when(open_case, domain.open_case(), evidence=reports, **FACTS).refused(NothingGraded)


def test_a_threat_to_life_alone_needs_a_grade_unless_it_is_opened_provisionally() -> None:
    command = domain.open_case(threat_to_life=True)
    given_case().when(open_case, command, by=COLETTE, evidence=[], **FACTS).refused(NothingGraded)


@pytest.mark.parametrize("by", [COLETTE, OLIVE])
@pytest.mark.parametrize("reports", [[], [UNGRADED]])
def test_one_coordinator_or_referral_officer_opens_for_a_threat_to_life_on_no_grade(
    by: Actor, reports: list[Any]
) -> None:
    state = given_case().when(open_case, THREAT, by=by, evidence=reports, **FACTS).accepted()
    assert (state.stage, state.provisional, state.ratify_by) == (Stage.OPEN, True, NOW + WITHIN)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR, Role.REFERRAL_OFFICER}))
def test_nobody_else_opens_provisionally(role: Role) -> None:
    by = Actor(role=role, ref=one("somebody"))
    given_case().when(open_case, THREAT, by=by, evidence=[], **FACTS).refused(NotTheirsToOpen)


def test_without_a_threat_to_life_nothing_opens_provisionally() -> None:
    command = domain.open_case(provisional=True)
    given_case().when(open_case, command, by=COLETTE, evidence=[UNGRADED], **FACTS).refused(NoThreatToLife)


def test_a_case_opens_once() -> None:
    given_case(opened()).when(open_case, THREAT, by=COLETTE, evidence=[], **FACTS).refused(CaseOpenAlready)


def test_a_report_that_does_not_stand_or_lives_elsewhere_or_comes_twice_is_no_evidence() -> None:
    given = given_case()
    gone = evidence(received(), graded(), ReportWithdrawn(reason=Withdrawal.FALSE))
    given.when(open_case, domain.open_case(), evidence=[gone], **FACTS).refused(ReportDoesNotStand)
    given.when(open_case, domain.open_case(), evidence=[evidence(home=OTHER_HOME)], **FACTS).refused(ReportElsewhere)
    given.when(open_case, domain.open_case(), evidence=[evidence()] * 2, **FACTS).refused(LinkedAlready)


def test_a_case_may_expect_what_is_to_come_but_nothing_has_occurred_in_the_future() -> None:
    tomorrow = TODAY + timedelta(days=1)
    expecting = domain.open_case(expected={"from": tomorrow})
    given_case().when(open_case, expecting, evidence=[evidence()], **FACTS).accepted()
    occurred = domain.open_case(occurred={"from": tomorrow})
    given_case().when(open_case, occurred, evidence=[evidence()], **FACTS).refused(BadInput)


def test_nothing_waits_for_ratification_while_a_person_can_be_saved() -> None:
    given = given_case(provisional(), checked(), agreed())
    given.when(refer, domain.refer(), by=OLIVE, referral_id=one("referral"), recipient=recipient()).accepted()
    given.when(decide, Decide(choice="act_now", reason="armed people on the road"), by=COLETTE).accepted()


@pytest.mark.parametrize("at", [NOW, LATER])
def test_the_committee_ratifies_also_after_the_deadline(at: Any) -> None:
    state = given_case(provisional()).when(ratify, Ratify(**FOR), at=at, **VOTED).then(CaseRatified(quorum=QUORUM))
    assert (state.stage, state.provisional, state.ratify_by) == (Stage.OPEN, False, None)


def test_the_committee_may_not_ratify_and_says_why() -> None:
    command = NotRatify(**FOR, reason="too little")
    state = given_case(provisional()).when(not_ratify, command, **VOTED).then(NOT_RATIFIED)
    assert (state.stage, state.provisional) == (Stage.NOT_RATIFIED, False)


def test_only_what_is_provisional_is_ratified_and_only_once() -> None:
    for events in ([opened()], [provisional(), CaseRatified(quorum=QUORUM)], [provisional(), NOT_RATIFIED]):
        given_case(*events).when(ratify, Ratify(**FOR), **VOTED).refused(NotProvisional)
        given_case(*events).when(not_ratify, NotRatify(**FOR, reason="no"), **VOTED).refused(NotProvisional)


def test_a_vote_counts_members_of_this_committee_and_enough_of_them() -> None:
    given = given_case(provisional())
    stranger = Ratify(in_favour=[INES.ref, one("stranger")])
    given.when(ratify, stranger, **VOTED).refused(BadInput)
    given.when(ratify, Ratify(in_favour=[INES.ref], recused=[KEZA.ref]), **VOTED).refused(NoCommitteeQuorum)
    given.when(ratify, Ratify(in_favour=[]), eligible=COMMITTEE, required=0).refused(NoCommitteeQuorum)


def test_a_provisional_case_is_not_closed_before_the_committee_spoke() -> None:
    given_case(provisional()).when(close, Close(reason="over"), absorbed=[]).refused(WaitsForRatification)


def test_what_was_not_ratified_takes_no_work() -> None:
    given = given_case(provisional(), checked(), agreed(), NOT_RATIFIED)
    facts: dict[str, Any] = {"referral_id": one("referral"), "recipient": recipient()}
    given.when(refer, domain.refer(), by=OLIVE, **facts).refused(CaseNotRatifiedStands)
    given.when(decide, Decide(choice="monitor", reason="wait")).refused(CaseNotRatifiedStands)


@pytest.mark.parametrize("since", [[], [CLOSED]])
def test_what_was_not_ratified_opens_again_on_a_graded_report_only(since: list[Any]) -> None:
    """Otherwise one person could undo the committee's word, by the way of closing too."""
    given = given_case(provisional(), NOT_RATIFIED, *since)
    bare = Reopen(reason="ended_by_mistake")
    given.when(reopen, bare, by=COLETTE).refused(NothingGraded)
    command = Reopen(reason="new_evidence", reports=[cited()])
    given.when(reopen, command, evidence=[UNGRADED], home=HOME).refused(NothingGraded)
    state = given.when(reopen, command, evidence=[evidence()], home=HOME).accepted()
    assert (state.stage, set(state.linked)) == (Stage.OPEN, {REPORT})


def test_a_report_linked_before_and_graded_since_opens_it_again_and_is_not_linked_twice() -> None:
    given = given_case(provisional(), linked(), NOT_RATIFIED)
    command = Reopen(reason="new_evidence", reports=[cited()])
    state = given.when(reopen, command, evidence=[evidence()], home=HOME).accepted()
    assert set(state.linked) == {REPORT}
    gone = evidence(received(), graded(), ReportWithdrawn(reason=Withdrawal.FALSE))
    given.when(reopen, command, evidence=[gone], home=HOME).refused(NothingGraded)


def test_a_report_that_a_reopening_names_is_never_dropped_silently() -> None:
    given = given_case(opened(), CLOSED)
    given.when(reopen, Reopen(reason="new_evidence", reports=[cited()])).refused(ReportDoesNotStand)
