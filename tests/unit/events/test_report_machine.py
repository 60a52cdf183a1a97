"""A report under random legal and illegal commands, beside a model of sets and dicts that predicts every answer."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import SecretStr

from events.refusals import BadInput, Refusal
from events.report import refusals as no
from events.report.decisions import (
    Conclude,
    Correct,
    Grade,
    Recuse,
    Withdraw,
    conclude,
    correct,
    grade,
    receive,
    recuse,
    supersede,
    withdraw,
)
from events.report.state import Report, Standing, evolve
from events.vocabulary import Actor
from tests.support import domain
from tests.support.domain import (
    HOME,
    INES,
    JEAN,
    KEZA,
    LEA,
    OTHER_HOME,
    OTHER_PLACE,
    PLACE,
    REPORT,
    TODAY,
    act,
    fold,
    one,
)
from tests.unit.events.machines import budget, first, tried

ELIGIBLE = frozenset({INES.ref, JEAN.ref, KEZA.ref})
REVIEWERS = st.sampled_from([INES, JEAN, KEZA, LEA])
RELIABILITIES, CREDIBILITIES = st.sampled_from("ABF"), st.sampled_from("125")
ROUNDS_OFF = st.sampled_from([0, 0, 0, 0, 1])
TOMORROW = TODAY.replace(day=TODAY.day + 1)
REQUIRED = 2


class ReportMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.report = Report(REPORT)
        self.left_behind: list[Report] = []
        self.phase = "absent"
        self.home = HOME
        self.round = 1
        self.grades: dict[tuple[int, Any], tuple[str, str]] = {}
        self.aside: set[Any] = set()
        self.concluded = ("F", "6")

    def tries(self, decide: Any, command: Any, predicted: type[Refusal] | None, **more: Any) -> bool:
        self.report = tried(self.report, evolve, decide, command, predicted, **more)
        return predicted is None

    def gone(self) -> tuple[tuple[bool, type[Refusal]], ...]:
        return (self.phase == "absent", no.NoSuchReport), (self.phase == "withdrawn", no.ReportWithdrawnAlready)

    @rule(channel=st.sampled_from(["sms", "form"]), future=st.booleans())
    def receives(self, channel: str, future: bool) -> None:
        command = domain.receive(channel=channel, occurred={"from": TOMORROW if future else TODAY})
        predicted = first((self.phase != "absent", no.AlreadyReceived), (channel == "form" and future, BadInput))
        if self.tries(receive, command, predicted, place=PLACE, placed=True, person=None):
            self.phase = "stands"

    @rule(by=REVIEWERS, off=ROUNDS_OFF, reliability=RELIABILITIES, credibility=CREDIBILITIES, own=st.integers(0, 6))
    def grades_it(self, by: Actor, off: int, reliability: str, credibility: str, own: int) -> None:
        asked = self.round + off
        predicted = first(
            *self.gone(),
            (own == 0, no.OwnReport),
            (off != 0, no.AnotherRound),
            (by.ref in self.aside, no.StoodAside),
            ((self.round, by.ref) in self.grades, no.AlreadyGraded),
        )
        command = Grade(round=asked, reliability=reliability, credibility=credibility)
        if self.tries(grade, command, predicted, by=by, own=own == 0):
            self.grades[asked, by.ref] = (reliability, credibility)

    @rule(by=REVIEWERS, off=ROUNDS_OFF)
    def stands_aside(self, by: Actor, off: int) -> None:
        predicted = first(
            *self.gone(),
            (off != 0, no.AnotherRound),
            (by.ref in self.aside, no.StoodAside),
            ((self.round, by.ref) in self.grades, no.AlreadyGraded),
        )
        if self.tries(recuse, Recuse(round=self.round + off, reason="concerned"), predicted, by=by):
            self.aside.add(by.ref)

    @rule(off=ROUNDS_OFF, reliability=RELIABILITIES, credibility=CREDIBILITIES)
    def concludes(self, off: int, reliability: str, credibility: str) -> None:
        given = [view for (number, by), view in self.grades.items() if number == self.round and by in ELIGIBLE]
        reliable, credible = Counter(view[0] for view in given), Counter(view[1] for view in given)
        kept = reliability == self.concluded[0]
        enough = credible[credibility] >= REQUIRED and (kept or reliable[reliability] >= REQUIRED)
        predicted = first(*self.gone(), (off != 0, no.AnotherRound), (not enough, no.NoQuorum))
        command = Conclude(round=self.round + off, reliability=reliability, credibility=credibility)
        if self.tries(conclude, command, predicted, eligible=ELIGIBLE, required=REQUIRED):
            self.concluded, self.round, self.aside = (reliability, credibility), self.round + 1, set()

    @rule(future=st.booleans())
    def corrects(self, future: bool) -> None:
        command = Correct(occurred={"to": TOMORROW if future else TODAY}, reason="heard again")
        self.tries(correct, command, first(*self.gone(), (future, BadInput)))

    @rule(rarely=st.integers(0, 9))
    def withdraws(self, rarely: int) -> None:
        if (rarely == 0 or self.phase != "stands") and self.tries(
            withdraw, Withdraw(reason="false"), first(*self.gone())
        ):
            self.phase = "withdrawn"

    @rule(stays=st.booleans())
    def is_received_again(self, stays: bool) -> None:
        there = self.home if stays else (OTHER_HOME if self.home == HOME else HOME)
        again = Report(one(f"again {len(self.left_behind)}"))
        words = {"text": SecretStr("what was seen")}
        predicted = first(*self.gone(), (stays, no.SameHome))
        facts: dict[str, Any] = {"place": OTHER_PLACE, "here": self.home, "there": there, "words": words}
        if predicted is not None:
            with pytest.raises(predicted):
                supersede(self.report, again, act(), **facts)
            return
        old, new = supersede(self.report, again, act(), **facts)
        self.left_behind.append(fold(self.report, evolve, old))
        self.report, self.home = fold(again, evolve, new), there

    @rule(by=REVIEWERS)
    def is_graded_where_it_was_left(self, by: Actor) -> None:
        for left in self.left_behind[-1:]:
            command = Grade(round=self.round, reliability="B", credibility="2")
            tried(left, evolve, grade, command, no.ReportSupersededAlready, by=by, own=False)

    @invariant()
    def the_report_is_what_the_model_says(self) -> None:
        assert self.report.standing == Standing(self.phase)
        assert self.report.round == self.round
        assert (self.report.reliability, self.report.credibility) == self.concluded
        assert self.report.recused == self.aside
        kept = {(view.round, view.by): (view.reliability, view.credibility) for view in self.report.grades}
        assert kept == self.grades
        assert len(self.report.grades) == len(self.grades), "somebody's grade counts twice"

    @invariant()
    def reviewers_have_their_pseudonyms_from_where_it_was_first_received(self) -> None:
        assert self.report.first_received_as == REPORT
        assert len({left.report_id for left in self.left_behind} | {self.report.report_id}) == len(self.left_behind) + 1

    @invariant()
    def it_is_known_by_every_id_it_ever_had(self) -> None:
        assert self.report.known_as == {REPORT, *(left.report_id for left in self.left_behind), self.report.report_id}


TestAReportUnderRandomCommands = ReportMachine.TestCase
TestAReportUnderRandomCommands.settings = budget()
