"""Four cases in two homes under random commands, beside a model of sets and dicts that predicts every answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from events.case import refusals as no
from events.case.ending import Close, Reopen, Resolve, close, reopen, resolve
from events.case.judging import Assess, RecordHarm, assess, record_harm
from events.case.linking import (
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
from events.case.opening import NotRatify, Ratify, not_ratify, open_case, ratify
from events.case.state import Case, Stage, evolve
from events.refusals import Refusal
from events.vocabulary import HarmKind
from tests.support import domain
from tests.support.domain import (
    COLETTE,
    COMMITTEE,
    HOME,
    INES,
    JEAN,
    OTHER_HOME,
    PLACE,
    act,
    cited,
    evidence,
    fold,
    graded,
    one,
    received,
)
from tests.unit.events.machines import budget, first, tried

A, B, C, D = one("a"), one("b"), one("c"), one("d")
HOMES = {A: HOME, B: HOME, C: OTHER_HOME, D: HOME}
CASES = st.sampled_from([A, B, C, D])
GRADED, UNGRADED, ELSEWHERE = one("graded"), one("ungraded"), one("elsewhere")
REPORTS = {
    GRADED: evidence(received(), graded(), report_id=GRADED),
    UNGRADED: evidence(received(), report_id=UNGRADED),
    ELSEWHERE: evidence(received(), graded(), report_id=ELSEWHERE, home=OTHER_HOME),
}
CITED = st.sampled_from(sorted(REPORTS))
VOTED: dict[str, Any] = {"eligible": COMMITTEE, "required": 2}
Why = tuple[bool, type[Refusal]]
Whys = tuple[Why, ...]


class Simple:
    """All that the model knows of one case."""

    def __init__(self) -> None:
        self.stage = "absent"
        self.waits = False
        self.unratified = False
        self.linked: set[UUID] = set()
        self.related: set[UUID] = set()
        self.into: UUID | None = None
        self.counts_in: UUID | None = None
        self.round = 0
        self.grave = False

    def missing(self) -> Why:
        return self.stage == "absent", no.NoSuchCase

    def away(self) -> Whys:
        return self.missing(), (self.into is not None, no.CaseIsMerged)

    def idle(self) -> Whys:
        over, rejected = self.stage == "closed", self.stage == "not_ratified"
        return *self.away(), (over, no.CaseIsClosed), (rejected, no.CaseNotRatifiedStands)


def where_its_toll_counts(case: Case) -> UUID | None:
    """Where a case says that its toll counts; what counts in a case merged away counts in the one it went into."""
    counted_in = case.counted_in.get(HarmKind.KILLED)
    return case.merged_into or counted_in if counted_in == case.case_id else counted_in


class CaseMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.cases = {case_id: Case(case_id) for case_id in HOMES}
        self.model = {case_id: Simple() for case_id in HOMES}

    def tries(self, of: UUID, decide: Any, command: Any, *whys: Why, **more: Any) -> bool:
        predicted = first(*whys)
        self.cases[of] = tried(self.cases[of], evolve, decide, command, predicted, **more)
        return predicted is None

    @rule(of=CASES, provisional=st.booleans(), threat=st.booleans(), on=CITED)
    def opens(self, of: UUID, provisional: bool, threat: bool, on: UUID) -> None:
        model, report = self.model[of], REPORTS[on]
        accepted = self.tries(
            of,
            open_case,
            domain.open_case(provisional=provisional, threat_to_life=threat),
            (model.stage != "absent", no.CaseOpenAlready),
            (provisional and not threat, no.NoThreatToLife),
            (not provisional and on == UNGRADED, no.NothingGraded),
            (report.home != HOMES[of], no.ReportElsewhere),
            by=COLETTE,
            place=PLACE,
            evidence=[report],
            home=HOMES[of],
            ratify_within=timedelta(hours=48),
        )
        if accepted:
            model.stage, model.waits, model.linked = "open", provisional, {on}
            model.grave = threat  # nobody said how grave

    @rule(of=CASES, stands=st.booleans(), enough=st.integers(0, 3))
    def is_voted_on(self, of: UUID, stands: bool, enough: int) -> None:
        model, members = self.model[of], [INES.ref, JEAN.ref][: 2 if enough else 1]
        command = Ratify(in_favour=members) if stands else NotRatify(in_favour=members, reason="too little")
        whys: Whys = (
            *model.away(),
            (not model.waits, no.NotProvisional),
            (not enough, no.NoCommitteeQuorum),
        )
        if self.tries(of, ratify if stands else not_ratify, command, *whys, **VOTED):
            model.waits = False
            if not stands:
                model.stage, model.unratified = "not_ratified", True

    @rule(of=CASES, on=CITED)
    def links(self, of: UUID, on: UUID) -> None:
        model, report = self.model[of], REPORTS[on]
        whys: Whys = (
            *model.idle(),
            (report.home != HOMES[of], no.ReportElsewhere),
            (on in model.linked, no.LinkedAlready),
        )
        facts: dict[str, Any] = {"report": report.report, "home": HOMES[of], "there": report.home}
        if self.tries(of, link_report, LinkReport(report_id=on), *whys, **facts):
            model.linked.add(on)

    @rule(of=CASES, on=CITED)
    def unlinks(self, of: UUID, on: UUID) -> None:
        model = self.model[of]
        whys: Whys = (model.missing(), (on not in model.linked, no.NotLinked))
        if self.tries(of, unlink_report, UnlinkReport(report_id=on, reason="another matter"), *whys):
            model.linked.remove(on)

    @rule(of=CASES, to=CASES)
    def relates(self, of: UUID, to: UUID) -> None:
        model, other = self.model[of], self.model[to]
        whys: Whys = (
            *model.away(),
            (of == to, no.ItselfMeant),
            other.missing(),
            (to in model.related, no.RelatedAlready),
        )
        facts: dict[str, Any] = {"other": self.cases[to], "there": HOMES[to]}
        if self.tries(of, relate, Relate(case_id=to, relation="continues"), *whys, **facts):
            model.related.add(to)

    @rule(of=CASES, to=CASES)
    def unrelates(self, of: UUID, to: UUID) -> None:
        model = self.model[of]
        whys: Whys = (model.missing(), (to not in model.related, no.NotRelated))
        if self.tries(of, unrelate, Unrelate(case_id=to, relation="continues"), *whys):
            model.related.remove(to)

    @rule(of=CASES, to=CASES)
    def merges(self, of: UUID, to: UUID) -> None:
        model, other = self.model[of], self.model[to]
        whys: Whys = (
            *model.idle(),
            *other.idle(),
            (of == to, no.ItselfMeant),
            (HOMES[of] != HOMES[to], no.MergedAcrossHomes),
            (not self.counted_once(of, to), no.TollsCountedApart),
            (model.stage == "open" and model.grave and not other.grave, no.GraverThanTheOther),
        )
        facts = {"into": self.cases[to], "home": HOMES[of], "there": HOMES[to]}
        if self.both(of, to, merge, Merge(into=to), first(*whys), facts):
            model.into = to

    def counted_once(self, of: UUID, to: UUID) -> bool:
        """Whether what is counted for `of` is still counted, and once, when `of` is `to`."""
        mine, theirs = self.model[of].counts_in, self.model[to].counts_in
        if mine in (None, to):
            return True
        return theirs == (to if mine == of else mine)

    @rule(of=CASES, to=CASES)
    def parts(self, of: UUID, to: UUID) -> None:
        model, other = self.model[of], self.model[to]
        whys: Whys = ((model.into != to, no.NotMerged), (other.into is not None, no.CaseIsMerged))
        if self.both(of, to, reverse_merge, ReverseMerge(into=to), first(*whys), {"into": self.cases[to]}):
            model.into = None

    def both(self, of: UUID, to: UUID, decide: Any, command: Any, predicted: Any, facts: dict[str, Any]) -> bool:
        if predicted is not None:
            with pytest.raises(predicted):
                decide(self.cases[of], command, act(), **facts)
            return False
        away, here = decide(self.cases[of], command, act(), **facts)
        self.cases[of] = fold(self.cases[of], evolve, away)
        self.cases[to] = fold(self.cases[to], evolve, here)
        return True

    @rule(of=CASES, to=CASES)
    def counts_a_toll(self, of: UUID, to: UUID) -> None:
        model, other = self.model[of], self.model[to]
        whys: Whys = model.away()
        if of != to:
            absent = (other.stage == "absent", no.TollCountsElsewhere)
            merged = (other.into is not None, no.CaseIsMerged)
            whys = (*whys, absent, merged, (other.counts_in != to, no.TollCountsElsewhere))
        command = RecordHarm(what="killed", basis="witnessed", counted_in=to)
        if self.tries(of, record_harm, command, *whys, counting=self.cases[to]):
            model.counts_in = to

    @rule(of=CASES, off=st.sampled_from([0, 0, 0, 1]), on=CITED)
    def is_assessed(self, of: UUID, off: int, on: UUID) -> None:
        model = self.model[of]
        whys: Whys = (
            *model.idle(),
            (off != 0, no.AnotherAssessmentRound),
            (on not in model.linked, no.NotLinked),
        )
        view = {"verification_state": "new", "credibility": "2", "severity": "minor", "evidence": [on]}
        command = Assess(round=model.round + 1 + off, in_favour=[INES.ref, JEAN.ref], **view)
        if self.tries(of, assess, command, *whys, **VOTED):
            model.round += 1
            model.grave = False

    @rule(of=CASES)
    def is_resolved(self, of: UUID) -> None:
        model = self.model[of]
        command = Resolve(outcome="settled", mechanism="mediation", by="network")
        if self.tries(of, resolve, command, *model.idle()):
            model.stage = "resolved"

    @rule(of=CASES)
    def is_closed(self, of: UUID) -> None:
        model = self.model[of]
        whys: Whys = (
            *model.away(),
            (model.stage == "closed", no.CaseIsClosed),
            (model.waits, no.WaitsForRatification),
        )
        if self.tries(of, close, Close(reason="over"), *whys, absorbed=[]):
            model.stage = "closed"

    @rule(of=CASES, on=st.none() | CITED)
    def is_reopened(self, of: UUID, on: UUID | None) -> None:
        model = self.model[of]
        reports = [REPORTS[on]] if on else []
        whys: Whys = (
            *model.away(),
            (model.stage == "open", no.NotEnded),
            (model.unratified and on in (None, UNGRADED), no.NothingGraded),
            (bool(on) and on not in model.linked and reports[0].home != HOMES[of], no.ReportElsewhere),
        )
        command = Reopen(reason="new_evidence", reports=[cited(on)] if on else [])
        if self.tries(of, reopen, command, *whys, evidence=reports, home=HOMES[of]):
            model.stage, model.unratified = "open", False
            model.linked |= {on} if on else set()

    @invariant()
    def every_case_is_what_the_model_says(self) -> None:
        for case_id, model in self.model.items():
            case = self.cases[case_id]
            assert case.stage == Stage(model.stage)
            assert (case.provisional, case.not_ratified) == (model.waits, model.unratified)
            assert set(case.linked) == model.linked
            assert {other for other, _ in case.related} == model.related
            assert (case.merged_into, case.round) == (model.into, model.round)
            assert case.counted_in.get(HarmKind.KILLED) == model.counts_in

    @invariant()
    def whoever_waits_for_ratification_has_a_deadline_and_nobody_else(self) -> None:
        assert all((case.ratify_by is not None) == case.provisional for case in self.cases.values())

    @invariant()
    def no_case_stands_on_no_grade_unless_it_waits_or_was_not_ratified(self) -> None:
        """A report may be unlinked later, so this looks at how the case came to stand."""
        for case in self.cases.values():
            if case.provisional:
                assert not case.not_ratified
            if case.stage == Stage.NOT_RATIFIED:
                assert case.not_ratified

    @invariant()
    def absorbing_and_being_absorbed_agree_within_one_home_and_without_circles(self) -> None:
        for case_id, case in self.cases.items():
            assert case.absorbed == {other for other, known in self.cases.items() if known.merged_into == case_id}
            assert case.merged_into is None or HOMES[case.merged_into] == HOMES[case_id]
            assert len(self.followed(case_id, lambda known: known.merged_into)) <= len(HOMES)

    @invariant()
    def every_toll_counts_in_exactly_one_case(self) -> None:
        for case_id, case in self.cases.items():
            if HarmKind.KILLED in case.counted_in:
                last = self.cases[self.followed(case_id, where_its_toll_counts)[-1]]
                assert (last.counted_in[HarmKind.KILLED], last.merged_into) == (last.case_id, None)

    def followed(self, start: UUID, next_of: Any) -> list[UUID]:
        """The ids from one case on, until one names itself or nothing; fails in a circle."""
        seen = [start]
        while (following := next_of(self.cases[seen[-1]])) not in (None, seen[-1]):
            assert following not in seen, "a circle"
            seen.append(following)
        return seen


TestCasesUnderRandomCommands = CaseMachine.TestCase
TestCasesUnderRandomCommands.settings = budget()
