"""Linking, relating and merging are reversible: afterwards the case is as it was before, but for its version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from events.case.ending import Reopen, reopen
from events.case.events import CaseAssessed, CaseClosed, CaseMerged, CaseMergeReversed, CaseRelated, CaseResolved
from events.case.linking import (
    Evidence,
    LinkReport,
    Merge,
    Relate,
    ReverseMerge,
    UnlinkReport,
    Unrelate,
    link_report,
    merge,
    relate,
    reverse_merge,
    unlink_report,
    unrelate,
)
from events.case.protection import WithdrawConsent, withdraw_consent
from events.case.referral import Acknowledge, acknowledge, refer
from events.case.refusals import (
    CaseIsClosed,
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
)
from events.case.state import Case, Reached
from events.case.state import evolve as evolve_case
from events.command import clear
from events.event import Event
from events.report.decisions import supersede
from events.report.events import Carried, ReportSuperseded
from events.report.state import Report
from events.sealed import KeyKind
from events.vocabulary import CaseOutcome, Credibility, Mechanism, Quorum, Reliability, Resolver
from tests.support import domain
from tests.support.domain import (
    CASE,
    HOME,
    OLIVE,
    OTHER_CASE,
    OTHER_HOME,
    OTHER_PLACE,
    REPORT,
    act,
    agreed,
    case,
    checked,
    cited,
    fold,
    given_case,
    graded,
    linked,
    one,
    opened,
    provisional,
    received,
    recipient,
    referred,
    report,
)

CLOSED = CaseClosed(reason=clear("over", KeyKind.CASE, CASE))
RESOLVED = CaseResolved(outcome=CaseOutcome.SETTLED, mechanism=Mechanism.MEDIATION, by=Resolver.COMMUNITY)
QUORUM = Quorum(eligible=4, recused=0, required=2, in_favour=2)
LINK = LinkReport(report_id=REPORT, independent="yes")
RELATE = Relate(case_id=OTHER_CASE, relation="same_incident")
OTHER = case(opened(case_id=OTHER_CASE), case_id=OTHER_CASE)
MERGED_AWAY = CaseMerged(into=OTHER_CASE)
RICH: Sequence[Event] = (opened(), checked(), agreed(), referred())


def same_but_version(one_state: Case, other: Case) -> bool:
    return replace(one_state, version=0) == replace(other, version=0)


def linking(state: Sequence[Event], command: LinkReport = LINK, there: str = HOME, **facts: Any) -> Any:
    facts = {"report": report(received(), graded()), **facts}
    return given_case(*state).when(link_report, command, home=HOME, there=there, **facts)


def test_linking_and_unlinking_leaves_the_case_as_it_was() -> None:
    before = case(*RICH)
    linked_state = linking(RICH).accepted()
    assert set(linked_state.linked) == {REPORT}
    command = UnlinkReport(report_id=REPORT, reason="about something else")
    after = fold(linked_state, evolve_case, unlink_report(linked_state, command, act()))
    assert same_but_version(after, before)


def test_a_report_is_linked_once_and_only_where_it_stands_and_lives() -> None:
    linking([opened(), linked()]).refused(LinkedAlready)
    linking([opened()], there=OTHER_HOME).refused(ReportElsewhere)
    linking([opened()], report=report()).refused(ReportDoesNotStand)
    gone = report(received(), ReportSuperseded(received_again_as=one("again"), home=OTHER_HOME))
    linking([opened()], report=gone).refused(ReportDoesNotStand)
    linking([opened(), CLOSED]).refused(CaseIsClosed)
    linking([]).refused(NoSuchCase)


def test_a_report_other_than_the_named_one_is_never_linked_in_its_place() -> None:
    other = report(received(), report_id=one("second"))
    linking([opened()], report=other).refused(ReportDoesNotStand)


def test_a_report_received_again_counts_no_second_time_while_the_first_is_linked() -> None:
    carried = Carried(
        supersedes=one("there"),
        first_received_as=REPORT,
        round=1,
        reliability=Reliability.F,
        credibility=Credibility.SIX,
    )
    back = report(received(carried=carried), report_id=one("back here"))
    command = LinkReport(report_id=one("back here"))
    linking([opened(), linked(REPORT)], command, report=back).refused(LinkedAlready)
    linking([opened(), linked(one("there"))], command, report=back).refused(LinkedAlready)
    linking([opened()], command, report=back).accepted()


NAMES = ("first", "second", "third", "fourth")


def received_again_and_again() -> Report:
    """A report that was received again three times."""
    state = report(received(), graded(), report_id=one("first"))
    for number, name in enumerate(NAMES[1:]):
        here, there = (HOME, OTHER_HOME) if number % 2 == 0 else (OTHER_HOME, HOME)
        facts: dict[str, Any] = {"place": OTHER_PLACE, "here": here, "there": there}
        _, new = supersede(state, Report(one(name)), act(), words={"text": SecretStr("what was seen")}, **facts)
        state = report(*new, report_id=one(name))
    return state


@pytest.mark.parametrize("linked_as", NAMES)
def test_a_report_received_again_and_again_is_the_one_it_was_under_every_id_it_had(linked_as: str) -> None:
    now = received_again_and_again()
    command = LinkReport(report_id=now.report_id)
    refusal = linking([opened(), linked(one(linked_as))], command, report=now).refused(LinkedAlready)
    assert str(one(linked_as)) in str(refusal)
    ended = (opened(), linked(one(linked_as)), CLOSED)
    reopening = Reopen(reason="new_evidence", reports=[cited(now.report_id)])
    facts: dict[str, Any] = {"evidence": [Evidence(now, HOME)], "home": HOME}
    state = given_case(*ended).when(reopen, reopening, **facts).accepted()
    assert set(state.linked) == {one(linked_as)}


def test_one_message_is_not_linked_twice_in_one_act_under_two_ids() -> None:
    now, before = received_again_and_again(), report(received(), graded(), report_id=one("second"))
    reopening = Reopen(reason="new_evidence", reports=[cited(before.report_id), cited(now.report_id)])
    facts: dict[str, Any] = {"evidence": [Evidence(before, HOME), Evidence(now, HOME)], "home": HOME}
    given_case(opened(), CLOSED).when(reopen, reopening, **facts).refused(LinkedAlready)


def test_what_is_not_linked_is_not_unlinked() -> None:
    command = UnlinkReport(report_id=REPORT, reason="about something else")
    given_case(opened()).when(unlink_report, command).refused(NotLinked)
    given_case(opened(), linked(), CLOSED).when(unlink_report, command).accepted()


@pytest.mark.parametrize("there", [HOME, OTHER_HOME])
def test_relating_may_cross_homes_and_unrelating_leaves_the_case_as_it_was(there: str) -> None:
    related = given_case(*RICH).when(relate, RELATE, other=OTHER, there=there)
    state = related.then(CaseRelated(case_id=OTHER_CASE, home=there, relation=RELATE.relation))
    back = unrelate(state, Unrelate(case_id=OTHER_CASE, relation=RELATE.relation), act())
    assert same_but_version(fold(state, evolve_case, back), case(*RICH))


def test_two_relations_to_one_case_are_told_apart() -> None:
    state = given_case(opened()).when(relate, RELATE, other=OTHER, there=HOME)
    given = given_case(opened(), *state.events)
    given.when(relate, RELATE, other=OTHER, there=HOME).refused(RelatedAlready)
    given.when(relate, Relate(case_id=OTHER_CASE, relation="continues"), other=OTHER, there=HOME).accepted()
    given.when(unrelate, Unrelate(case_id=OTHER_CASE, relation="continues")).refused(NotRelated)


def test_a_case_is_related_to_another_that_exists_and_is_the_named_one() -> None:
    given = given_case(opened())
    given.when(relate, Relate(case_id=CASE, relation="continues"), other=case(opened()), there=HOME).refused(
        ItselfMeant
    )
    given.when(relate, RELATE, other=Case(OTHER_CASE), there=HOME).refused(NoSuchCase)
    third = case(opened(case_id=one("third")), case_id=one("third"))
    given.when(relate, RELATE, other=third, there=HOME).refused(NoSuchCase)


def merged(one_case: Case, into: Case) -> tuple[Case, Case]:
    away, here = merge(one_case, Merge(into=into.case_id), act(), into=into, home=HOME, there=HOME)
    return fold(one_case, evolve_case, away), fold(into, evolve_case, here)


def reversed_again(one_case: Case, into: Case) -> tuple[Case, Case]:
    away, here = reverse_merge(one_case, ReverseMerge(into=into.case_id), act(), into=into)
    return fold(one_case, evolve_case, away), fold(into, evolve_case, here)


def test_merging_writes_to_both_streams() -> None:
    away, here = merge(case(*RICH), Merge(into=OTHER_CASE), act(), into=OTHER, home=HOME, there=HOME)
    assert away == (CaseMerged(into=OTHER_CASE),)
    assert here == (CaseMerged(absorbed=CASE),)


def test_merging_and_its_reverse_leave_both_cases_as_they_were() -> None:
    before = case(*RICH, linked())
    away, here = merged(before, OTHER)
    assert (away.merged_into, here.absorbed) == (OTHER_CASE, frozenset({CASE}))
    away, here = reversed_again(away, here)
    assert same_but_version(away, before)
    assert same_but_version(here, OTHER)


def test_a_chain_of_mergings_is_reversed_from_its_end() -> None:
    third = case(opened(case_id=one("third")), case_id=one("third"))
    first, second = merged(case(opened()), OTHER)
    second, third = merged(second, third)
    with pytest.raises(CaseIsMerged):
        reversed_again(first, second)
    second, third = reversed_again(second, third)
    first, second = reversed_again(first, second)
    assert same_but_version(first, case(opened()))
    assert same_but_version(second, OTHER)


def test_no_case_is_merged_in_a_circle_with_itself_across_homes_or_when_it_takes_no_work() -> None:
    before = case(opened())
    away, here = merged(before, OTHER)
    command = Merge(into=OTHER_CASE)
    with pytest.raises(CaseIsMerged):
        merge(here, Merge(into=CASE), act(), into=away, home=HOME, there=HOME)
    with pytest.raises(ItselfMeant):
        merge(before, Merge(into=CASE), act(), into=before, home=HOME, there=HOME)
    with pytest.raises(MergedAcrossHomes):
        merge(before, command, act(), into=OTHER, home=HOME, there=OTHER_HOME)
    with pytest.raises(CaseIsClosed):
        merge(case(opened(), CLOSED), command, act(), into=OTHER, home=HOME, there=HOME)
    with pytest.raises(NoSuchCase):
        merge(before, command, act(), into=Case(OTHER_CASE), home=HOME, there=HOME)
    with pytest.raises(NoSuchCase):
        merge(before, Merge(into=one("third")), act(), into=OTHER, home=HOME, there=HOME)


def severity_of(case: Case, severity: str) -> Case:
    view = {"round": 1, "verification_state": "confirmed_true", "credibility": "1", "quorum": QUORUM}
    return fold(case, evolve_case, [CaseAssessed.model_validate({**view, "severity": severity})])


@pytest.mark.parametrize(
    ("of", "into"), [("extreme", "severe"), ("extreme", "moderate"), ("severe", "minor"), ("severe", None)]
)
def test_a_grave_case_is_not_merged_into_a_lesser_one(of: str, into: str | None) -> None:
    """Nobody would be asked for an answer to it any more, and nobody has decided that."""
    before, other = severity_of(case(opened()), of), severity_of(OTHER, into) if into else OTHER
    with pytest.raises(GraverThanTheOther, match=f"this case is {of} and {OTHER_CASE} is less grave"):
        merged(before, other)
    merged(before, severity_of(other, of))
    merged(severity_of(before, "moderate"), other)


def test_how_grave_a_case_was_opened_counts_until_it_is_assessed() -> None:
    for grave in (opened(severity="severe"), opened(threat_to_life=True), provisional()):
        with pytest.raises(GraverThanTheOther):
            merged(case(grave), OTHER)
        merged(severity_of(case(grave), "minor"), OTHER)
    merged(case(opened(severity="moderate", threat_to_life=True)), OTHER)


def test_what_is_resolved_waits_for_no_answer_and_is_merged_into_a_lesser_case() -> None:
    merged(case(opened(severity="extreme"), RESOLVED), OTHER)


def test_what_was_not_merged_is_not_reversed() -> None:
    with pytest.raises(NotMerged):
        reversed_again(case(opened()), OTHER)
    away, here = merged(case(opened()), OTHER)
    with pytest.raises(NotMerged):
        reverse_merge(away, ReverseMerge(into=one("third")), act(), into=here)


def test_a_case_merged_away_takes_no_new_work_and_names_the_other() -> None:
    facts: dict[str, Any] = {"referral_id": one("referral"), "recipient": recipient()}
    given = given_case(opened(), checked(), agreed(), MERGED_AWAY)
    refusal = given.when(refer, domain.refer(), by=OLIVE, **facts).refused(CaseIsMerged)
    assert str(OTHER_CASE) in str(refusal)
    linking([opened(), MERGED_AWAY]).refused(CaseIsMerged)


def test_a_case_merged_away_still_answers_for_the_referrals_made_in_it() -> None:
    command = Acknowledge(referral_id=one("referral"))
    state = given_case(*RICH, MERGED_AWAY).when(acknowledge, command).accepted()
    assert state.referrals[one("referral")].reached == Reached.ACKNOWLEDGED


def test_consent_withdrawn_in_a_case_merged_away_revokes_its_open_referrals() -> None:
    command = WithdrawConsent(consent_id=one("consent"))
    state = given_case(*RICH, MERGED_AWAY).when(withdraw_consent, command).accepted()
    assert state.open_referrals == ()


def test_a_report_linked_by_mistake_is_unlinked_also_where_its_case_was_merged_away() -> None:
    command = UnlinkReport(report_id=REPORT, reason="about something else")
    given_case(opened(), linked(), MERGED_AWAY).when(unlink_report, command).accepted()


def test_a_reversal_found_in_a_history_alone_changes_nothing_else() -> None:
    state = case(opened(), CaseMergeReversed(absorbed=one("third")))
    assert same_but_version(state, case(opened()))
