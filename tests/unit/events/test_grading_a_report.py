"""Reviewers grade a report in rounds: once each, never their own; a conclusion names its quorum and keeps dissent."""

from __future__ import annotations

from typing import Any

import pytest

from events.event import Event
from events.report.decisions import Conclude, Grade, Recuse, conclude, grade, recuse
from events.report.events import Graded, ReportConcluded, ReportGraded, ReportRecused, ReportWithdrawn
from events.report.refusals import (
    AlreadyGraded,
    AnotherRound,
    NoQuorum,
    NoSuchReport,
    OwnReport,
    ReportWithdrawnAlready,
    StoodAside,
)
from events.vocabulary import Actor, Credibility, Quorum, Recusal, Reliability, Withdrawal
from tests.support.domain import COMMITTEE, INES, JEAN, KEZA, LEA, OSCAR, given_report, graded, received, report

RULES: dict[str, Any] = {"eligible": COMMITTEE, "required": 2}


def view(round_number: int = 1, reliability: str = "B", credibility: str = "2") -> Grade:
    return Grade(round=round_number, reliability=reliability, credibility=credibility)


def conclusion(round_number: int = 1, reliability: str = "F", credibility: str = "2") -> Conclude:
    return Conclude(round=round_number, reliability=reliability, credibility=credibility)


CONCLUDED = ReportConcluded(
    round=1,
    reliability=Reliability.F,
    credibility=Credibility.TWO,
    quorum=Quorum(eligible=4, recused=0, required=2, in_favour=2),
)
TWO_AGREE: tuple[Event, ...] = (received(), graded(INES), graded(JEAN))


def test_a_reviewer_grades_a_report() -> None:
    given_report(received()).when(grade, view(), own=False).then(
        ReportGraded(by=INES.ref, round=1, reliability=Reliability.B, credibility=Credibility.TWO)
    )


def test_nobody_grades_their_own_report() -> None:
    given_report(received()).when(grade, view(), own=True).refused(OwnReport)


def test_a_reviewer_grades_once_a_round() -> None:
    given_report(received(), graded(INES)).when(grade, view(), own=False).refused(AlreadyGraded)
    given_report(received(), graded(INES)).when(grade, view(), by=JEAN, own=False).accepted()


def test_a_reviewer_grades_again_in_the_next_round() -> None:
    given_report(*TWO_AGREE, CONCLUDED).when(grade, view(2), own=False).accepted()


@pytest.mark.parametrize("asked", [1, 3])
def test_a_grade_for_another_round_is_refused(asked: int) -> None:
    given_report(*TWO_AGREE, CONCLUDED).when(grade, view(asked), by=LEA, own=False).refused(AnotherRound)


def test_a_grade_once_given_stays_as_given() -> None:
    before = report(*TWO_AGREE)
    later: list[Event] = [CONCLUDED, graded(INES, Credibility.FIVE, round_number=2), graded(KEZA, round_number=2)]
    assert report(*TWO_AGREE, *later).grades[:2] == before.grades
    assert report(*TWO_AGREE, *later).grades_of(1) == before.grades_of(1)


def test_who_stood_aside_does_not_grade_in_that_round_but_in_the_next() -> None:
    aside = ReportRecused(by=KEZA.ref, round=1, reason=Recusal.KNOWS_THE_PEOPLE)
    given_report(*TWO_AGREE, aside).when(grade, view(), by=KEZA, own=False).refused(StoodAside)
    given_report(*TWO_AGREE, aside, CONCLUDED).when(grade, view(2), by=KEZA, own=False).accepted()


def test_who_has_graded_has_not_stood_aside_and_nobody_stands_aside_twice() -> None:
    command = Recuse(round=1, reason=Recusal.CONCERNED)
    given_report(received(), graded(INES)).when(recuse, command).refused(AlreadyGraded)
    aside = given_report(received()).when(recuse, command)
    aside.then(ReportRecused(by=INES.ref, round=1, reason=Recusal.CONCERNED))
    given_report(received(), *aside.events).when(recuse, command).refused(StoodAside)


def test_a_conclusion_names_its_quorum() -> None:
    aside = ReportRecused(by=LEA.ref, round=1, reason=Recusal.CONCERNED)
    given_report(*TWO_AGREE, aside).when(conclude, conclusion(), **RULES).then(
        ReportConcluded(
            round=1,
            reliability=Reliability.F,
            credibility=Credibility.TWO,
            quorum=Quorum(eligible=4, recused=1, required=2, in_favour=2),
        )
    )


def test_a_conclusion_keeps_every_grade_that_differs() -> None:
    differing = graded(KEZA, Credibility.FIVE)
    half = graded(LEA, Credibility.TWO, Reliability.C)
    then = given_report(*TWO_AGREE, differing, half).when(conclude, conclusion(), **RULES)
    then.accepted()
    (event,) = then.events
    assert isinstance(event, ReportConcluded)
    assert event.dissent == tuple(
        Graded(by=one.by, round=1, reliability=one.reliability, credibility=one.credibility)
        for one in (differing, half)
    )
    assert event.quorum.in_favour == 3


def test_whose_grades_do_not_count_neither_conclude_nor_stand_aside_from_the_quorum() -> None:
    aside = ReportRecused(by=OSCAR.ref, round=1, reason=Recusal.CONCERNED)
    given_report(received(), graded(INES), graded(OSCAR)).when(conclude, conclusion(), **RULES).refused(NoQuorum)
    reliable = [graded(by, reliability=Reliability.B) for by in (INES, OSCAR)]
    given = given_report(received(), *reliable, graded(JEAN))
    given.when(conclude, conclusion(reliability="B"), **RULES).refused(NoQuorum)
    differing = graded(OSCAR, Credibility.FIVE)
    then = given_report(*TWO_AGREE, differing, aside).when(conclude, conclusion(), **RULES)
    then.accepted()
    (event,) = then.events
    assert isinstance(event, ReportConcluded)
    assert event.quorum == Quorum(eligible=4, recused=0, required=2, in_favour=2)
    assert [one.by for one in event.dissent] == [OSCAR.ref]


def test_too_few_who_agree_conclude_nothing() -> None:
    given_report(received(), graded(INES)).when(conclude, conclusion(), **RULES).refused(NoQuorum)
    given_report(*TWO_AGREE).when(conclude, conclusion(credibility="3"), **RULES).refused(NoQuorum)


def test_grades_of_an_earlier_round_conclude_nothing_in_this_one() -> None:
    given_report(*TWO_AGREE, CONCLUDED, graded(INES, round_number=2)).when(conclude, conclusion(2), **RULES).refused(
        NoQuorum
    )


def test_a_quorum_of_nobody_is_no_quorum() -> None:
    given_report(received()).when(conclude, conclusion(), eligible=frozenset(), required=0).refused(NoQuorum)


def test_reliability_nobody_gave_is_not_concluded_though_all_agree_on_credibility() -> None:
    given_report(*TWO_AGREE).when(conclude, conclusion(reliability="A"), **RULES).refused(NoQuorum)


@pytest.mark.parametrize(("reliabilities", "agreed"), [("BBF", True), ("BFB", True), ("BFF", False), ("BCD", False)])
def test_reliability_and_credibility_are_agreed_apart(reliabilities: str, agreed: bool) -> None:
    reviewers: tuple[Actor, ...] = (INES, JEAN, KEZA)
    grades = [
        graded(who, Credibility.TWO, Reliability.read(letter))
        for who, letter in zip(reviewers, reliabilities, strict=True)
    ]
    then = given_report(received(), *grades).when(conclude, conclusion(reliability="B"), **RULES)
    if not agreed:
        then.refused(NoQuorum)
        return
    state = then.accepted()
    assert (state.reliability, state.credibility) == (Reliability.B, Credibility.TWO)


def test_a_conclusion_on_the_information_leaves_a_new_source_at_f() -> None:
    differing = (graded(INES, reliability=Reliability.A), graded(JEAN, reliability=Reliability.B))
    state = given_report(received(), *differing).when(conclude, conclusion(reliability="F"), **RULES).accepted()
    assert (state.reliability, state.credibility) == (Reliability.F, Credibility.TWO)


def test_a_conclusion_opens_the_next_round_and_forgets_who_stood_aside() -> None:
    aside = ReportRecused(by=LEA.ref, round=1, reason=Recusal.CONCERNED)
    state = given_report(*TWO_AGREE, aside).when(conclude, conclusion(), **RULES).accepted()
    assert (state.round, state.recused) == (2, frozenset())


WITHDRAWN = ReportWithdrawn(reason=Withdrawal.FALSE)


@pytest.mark.parametrize(
    ("decide", "command", "facts"),
    [(grade, view(), {"own": False}), (recuse, Recuse(round=1, reason="other"), {}), (conclude, conclusion(), RULES)],
)
def test_an_absent_or_withdrawn_report_takes_no_review(decide: Any, command: Any, facts: dict[str, Any]) -> None:
    given_report().when(decide, command, **facts).refused(NoSuchReport)
    given_report(*TWO_AGREE, WITHDRAWN).when(decide, command, by=LEA, **facts).refused(ReportWithdrawnAlready)
