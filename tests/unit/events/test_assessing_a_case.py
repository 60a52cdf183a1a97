"""The committee assesses in rounds, with quorum and dissent; every toll counts in one case."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from events.case.ending import Resolve, resolve
from events.case.events import CaseAssessed, CaseClosed, CaseHarmRecorded, CaseMerged, CaseResolved
from events.case.judging import Assess, Decide, RecordAction, RecordHarm, assess, decide, record_action, record_harm
from events.case.refusals import (
    AnotherAssessmentRound,
    CaseIsClosed,
    CaseIsMerged,
    NoCommitteeQuorum,
    NoSuchCase,
    NoSuchReferral,
    NotLinked,
    TollCountsElsewhere,
)
from events.case.state import Case, evolve
from events.command import clear, read_command
from events.refusals import BadInput
from events.sealed import KeyKind
from events.vocabulary import CaseOutcome, Credibility, HarmKind, Mechanism, Resolver, Severity, VerificationState
from tests.support.domain import (
    CASE,
    COMMITTEE,
    INES,
    JEAN,
    KEZA,
    LATER,
    LEA,
    NOW,
    OTHER_CASE,
    REPORT,
    Given,
    case,
    given_case,
    linked,
    one,
    opened,
    referred,
)

CLOSED = CaseClosed(reason=clear("over", KeyKind.CASE, CASE))
RESOLVED = CaseResolved(outcome=CaseOutcome.SETTLED, mechanism=Mechanism.MEDIATION, by=Resolver.COMMUNITY)
VOTED: dict[str, Any] = {"eligible": COMMITTEE, "required": 2}


def assessment(round_number: int = 1, **fields: Any) -> Assess:
    usual = {"verification_state": "probably_true", "credibility": "2", "severity": "severe"}
    return Assess(**{**usual, "round": round_number, "in_favour": [INES.ref, JEAN.ref], **fields})


def assessed(events: Any, command: Assess, **facts: Any) -> CaseAssessed:
    then = given_case(*events).when(assess, command, **{**VOTED, **facts})
    then.accepted()
    (event,) = then.events
    assert isinstance(event, CaseAssessed)
    return event


def test_an_assessment_names_its_quorum_and_keeps_dissent() -> None:
    differing = {"by": KEZA.ref, "severity": "minor", "note": "I saw no wound"}
    event = assessed([opened()], assessment(recused=[LEA.ref], dissent=[differing]))
    assert event.quorum.model_dump(by_alias=True) == {"eligible": 4, "recused": 1, "required": 2, "for": 2}
    (dissent,) = event.dissent
    assert (dissent.by, dissent.severity, dissent.credibility) == (KEZA.ref, Severity.MINOR, None)
    assert dissent.note == clear("I saw no wound", KeyKind.CASE, CASE)


def test_a_new_round_supersedes_and_every_round_is_kept_on_the_log() -> None:
    first = assessed([opened()], assessment())
    second = assessed([opened(), first], assessment(2, verification_state="confirmed_true"))
    state = case(opened(), first, second)
    assert (state.round, state.assessment) == (2, second)
    assert first.verification_state == VerificationState.PROBABLY_TRUE


@pytest.mark.parametrize("asked", [1, 3])
def test_an_assessment_of_another_round_is_refused(asked: int) -> None:
    first = assessed([opened()], assessment())
    given_case(opened(), first).when(assess, assessment(asked), **VOTED).refused(AnotherAssessmentRound)


def test_too_few_members_assess_nothing() -> None:
    given_case(opened()).when(assess, assessment(in_favour=[INES.ref]), **VOTED).refused(NoCommitteeQuorum)
    nobody = assessment(in_favour=[])
    given_case(opened()).when(assess, nobody, eligible=COMMITTEE, required=0).refused(NoCommitteeQuorum)


@pytest.mark.parametrize(
    "fields",
    [
        {"in_favour": [INES.ref, one("stranger")]},
        {"recused": [one("stranger")]},
        {"dissent": [{"by": one("stranger"), "severity": "minor"}]},
        {"dissent": [{"by": INES.ref, "severity": "minor"}]},
        {"dissent": [{"by": LEA.ref, "severity": "minor"}], "recused": [LEA.ref]},
    ],
)
def test_only_members_vote_and_each_in_one_way(fields: dict[str, Any]) -> None:
    given_case(opened()).when(assess, assessment(**fields), **VOTED).refused(BadInput)


@pytest.mark.parametrize(
    "fields",
    [
        {"in_favour": [INES.ref, INES.ref]},
        {"recused": [INES.ref]},
        {"dissent": [{"by": KEZA.ref, "severity": "minor"}, {"by": KEZA.ref, "severity": "extreme"}]},
    ],
)
def test_a_member_named_twice_is_bad_input(fields: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        read_command(Assess, {**assessment().model_dump(mode="json"), **fields})


def test_evidence_must_be_linked_to_the_case() -> None:
    given_case(opened()).when(assess, assessment(evidence=[REPORT]), **VOTED).refused(NotLinked)
    assert assessed([opened(), linked()], assessment(evidence=[REPORT])).evidence == (REPORT,)


def test_the_truth_of_a_rumour_and_its_circulation_are_two_fields() -> None:
    event = assessed([opened()], assessment(verification_state="confirmed_false", circulating="widely"))
    assert (event.verification_state, event.circulating) == ("confirmed_false", "widely")
    assert event.credibility == Credibility.TWO


def test_a_closed_case_is_not_assessed_and_a_resolved_one_is() -> None:
    given_case(opened(), CLOSED).when(assess, assessment(), **VOTED).refused(CaseIsClosed)
    assessed([opened(), RESOLVED], assessment())


def test_a_decision_may_be_not_to_act_and_an_act_may_be_typed_in_later_but_not_earlier() -> None:
    given = given_case(opened())
    given.when(decide, Decide(choice="no_action", reason="settled among neighbours", done_at=NOW)).accepted()
    given.when(decide, Decide(choice="no_action", reason="settled", done_at=LATER)).refused(BadInput)
    resolution = Resolve(outcome="settled", mechanism="mediation", by="network", done_at=LATER)
    given.when(resolve, resolution).refused(BadInput)


def test_what_was_done_is_never_unsayable() -> None:
    visit = RecordAction(what="visit", by="network", done_at=NOW)
    for events in ([opened()], [opened(), CLOSED], [opened(), RESOLVED], [opened(), CaseMerged(into=OTHER_CASE)]):
        given_case(*events).when(record_action, visit).accepted()
    given_case().when(record_action, visit).refused(NoSuchCase)
    given_case(opened()).when(record_action, visit, at=NOW.replace(hour=1)).refused(BadInput)
    of_a_referral = RecordAction(what="visit", by="recipient", referral_id=one("referral"))
    given_case(opened()).when(record_action, of_a_referral).refused(NoSuchReferral)
    given_case(opened(), referred()).when(record_action, of_a_referral).accepted()


def toll(counted_in: UUID | None = None, what: str = "killed") -> RecordHarm:
    return RecordHarm(what=what, min=2, max=3, basis="witnessed", counted_in=counted_in)


def counts(case_id: UUID, counted_in: UUID | None = None, what: HarmKind = HarmKind.KILLED) -> Case:
    event = CaseHarmRecorded(what=what, min=2, max=3, basis="witnessed", counted_in=counted_in or case_id)
    return case(opened(case_id=case_id), event, case_id=case_id)


def test_a_toll_counts_in_its_own_case_where_no_other_is_named() -> None:
    state = given_case(opened()).when(record_harm, toll(), counting=None).accepted()
    assert state.counted_in == {HarmKind.KILLED: CASE}


def test_a_toll_counts_in_another_case_that_counts_it_itself() -> None:
    state = given_case(opened()).when(record_harm, toll(OTHER_CASE), counting=counts(OTHER_CASE)).accepted()
    assert state.counted_in == {HarmKind.KILLED: OTHER_CASE}


@pytest.mark.parametrize(
    "counting",
    [
        None,
        Case(OTHER_CASE),
        case(opened(case_id=OTHER_CASE), case_id=OTHER_CASE),
        counts(OTHER_CASE, what=HarmKind.INJURED),
        counts(OTHER_CASE, counted_in=one("third")),
        counts(OTHER_CASE, counted_in=CASE),
        counts(one("third")),
    ],
)
def test_a_toll_is_not_given_to_a_case_that_does_not_count_it_itself(counting: Case | None) -> None:
    given_case(opened()).when(record_harm, toll(OTHER_CASE), counting=counting).refused(TollCountsElsewhere)


def test_a_toll_is_not_given_to_a_case_that_was_merged_away() -> None:
    counting = evolve(counts(OTHER_CASE), CaseMerged(into=one("third")))
    given_case(opened()).when(record_harm, toll(OTHER_CASE), counting=counting).refused(CaseIsMerged)


def test_each_kind_of_toll_is_counted_apart() -> None:
    state = given_case(opened()).when(record_harm, toll(), counting=None).accepted()
    given = given_case(opened())
    assert given.when(record_harm, toll(what="houses"), counting=None).accepted().counted_in.keys() == {HarmKind.HOUSES}
    assert state.counted_in.keys() == {HarmKind.KILLED}


A, B, C = one("a"), one("b"), one("c")


def test_no_chain_and_no_circle_loses_a_toll_or_counts_it_twice() -> None:
    """From every case, following `counted_in` ends in exactly one case that counts the toll itself."""
    for order in permutations([(A, B), (B, C), (C, A), (B, A), (A, A)]):
        cases = {case_id: counts(case_id) for case_id in (A, B, C)}
        for start, end in order:
            then = Given(cases[start], evolve).when(record_harm, toll(end), counting=cases[end])
            cases[start] = cases[start] if then.refusal else then.accepted()
        for case_id in cases:
            seen = [case_id]
            while (following := cases[seen[-1]].counted_in[HarmKind.KILLED]) != seen[-1]:
                assert following not in seen, f"a circle counts the toll nowhere: {order}"
                seen.append(following)


def test_a_toll_turned_around_is_bad_input() -> None:
    with pytest.raises(BadInput):
        read_command(RecordHarm, {"what": "killed", "min": 3, "max": 2, "basis": "witnessed"})
