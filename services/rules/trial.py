"""A history folded under a rule set, by the very fold of the network and in memory, and compared with what it expects.

Every step happens at noon of its day, a second after the one before it; everything that fell due until then has fired.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson

from events import reference
from events.alert import AlertIssued
from events.case import events as cases
from events.event import Event
from events.report.events import ReportReceived, ReportWithdrawn
from events.reporter import ReporterCheckedIn, ReporterCoverageAssigned, ReporterStoodDown, StandDown
from events.sealed import Sealed
from events.vocabulary import (
    EVERY_HOME,
    Basis,
    Channel,
    Dated,
    Independence,
    Kind,
    Language,
    Located,
    Mechanism,
    Mode,
    PeopleAgree,
    PlacePrecision,
    Quorum,
    RecordedBy,
    Resolver,
    Role,
    Urgency,
    Withdrawal,
    wire_time,
)
from projections import alert_level
from projections.alert_level.fold import Home
from projections.alert_level.naming import LEVELS, points
from projections.alert_level.rows import unit_read
from projections.alert_level.rules import Rules
from projections.alert_level.shared import Shared
from projections.part import Part as Folded
from projections.rule_set import hash_of
from projections.taken import Taken
from services.rules import histories
from services.rules.histories import History, Step

ONE_HOME = "trial"
_IDS = UUID("7c1d9a52-9c0e-4d1b-8a4f-0f6b1e2d3c40")
"""Names the space of ids of cases and reports that a history names."""

_NOBODY_READS = Sealed(key_id=UUID(int=0), nonce="AAAA", ciphertext="AAAA")
"""Stands where a real event has a sealed text: a fold opens none."""

_QUORUM = Quorum(eligible=3, recused=0, required=2, in_favour=3)


@dataclass(frozen=True)
class Miss:
    """One expectation that was not met, and what the place's level is made of."""

    step: int
    on: date
    what: str
    expected: str
    found: str
    because: tuple[str, ...]

    def __str__(self) -> str:
        said = f"step {self.step}, {self.on}: expected {self.what} {self.expected}, it is {self.found}"
        return "\n".join([said, *(f"  {line}" for line in self.because)])


@dataclass
class Outcome:
    """A history that was folded: how many expectations it had, and those not met."""

    history: History
    expected: int = 0
    missed: list[Miss] = field(default_factory=list)


def try_out(rules: str, history: History) -> Outcome:
    """Fold a history under the rule set of this text, which `read_rule_set` has taken."""
    trial = _Trial(rules)
    trial.write("reference/rules", _adopted(rules), on=history.steps[0].on)
    trial.write("reference/engines", _speaks(), on=history.steps[0].on)
    outcome = Outcome(history)
    for number, step in enumerate(history.steps, 1):
        if isinstance(step, histories.Expect):
            outcome.expected += 1
            trial.tick(step.on)
            outcome.missed += trial.compare(number, step)
        else:
            trial.happens(step)
    return outcome


class _Trial:
    def __init__(self, rules: str) -> None:
        self._rules = Rules(rules)
        self._part: Folded[Home, Shared] = Folded(alert_level.PROJECTION.fold)
        self._versions: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._covering: dict[str, Channel] = {}
        self._position = 0
        self._last = (date.min, 0)
        self._rows: dict[str, dict[str, Any]] = {}
        self._alerts: dict[str, AlertIssued] = {}

    # --- what happens -----------------------------------------------------------------------------------------------

    def happens(self, step: Step) -> None:
        for stream, event in self._events(step):
            self.write(stream, event, on=step.on)

    def tick(self, on: date) -> None:
        self.write(
            "reference/clock", reference.ClockTicked(nominal=self._noon(on), reason=reference.TickReason.HOUR), on
        )

    def write(self, stream: str, event: Event, on: date) -> None:
        self._position += 1
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        day, steps = self._last
        self._last = (on, steps + 1 if on == day else 0)
        at = wire_time(self._noon(on) + timedelta(seconds=self._last[1]))
        home = EVERY_HOME if event.broadcast else ONE_HOME
        who = (Mode.ACTUAL.value, Role.ADMIN.value, str(_IDS))
        taken = Taken(self._position, at, stream, version, event.name, home, *who, event.wire_data())
        page, _ = self._part.take([taken])
        self._rows |= {row["unit"]: row for row in map(unit_read, page.rows.get("unit", ()))}
        self._alerts |= {one.data.unit: one.data for one in page.derived if isinstance(one.data, AlertIssued)}

    def _noon(self, on: date) -> datetime:
        return datetime.combine(on, time(12), self._rules.zone).astimezone(UTC)

    def _events(self, step: Step) -> Iterator[tuple[str, Event]]:
        case, reporter = f"case/{self._id(step.case)}", f"reporter/{self._id(step.case)}"
        match step:
            case histories.Open():
                yield case, _opened(step)
                for report in step.reports:
                    yield case, cases.CaseReportLinked(report_id=self._id(report), independent=Independence.UNKNOWN)
            case histories.Assess():
                yield case, _assessed(step)
            case histories.Classify():
                yield case, cases.CaseClassified(kind=step.kind, actor_class_changed=False)
            case histories.Ratify():
                yield case, cases.CaseRatified(quorum=_QUORUM)
            case histories.Refuse():
                yield case, cases.CaseNotRatified(quorum=_QUORUM, reason=_NOBODY_READS)
            case histories.Link():
                yield case, cases.CaseReportLinked(report_id=self._id(step.report), independent=Independence.UNKNOWN)
            case histories.Unlink():
                yield case, cases.CaseReportUnlinked(report_id=self._id(step.report), reason=_NOBODY_READS)
            case histories.Withdraw():
                yield f"report/{self._id(step.case)}", ReportWithdrawn(reason=Withdrawal.FALSE)
            case histories.Merge():
                yield case, cases.CaseMerged(into=self._id(step.into))
                yield f"case/{self._id(step.into)}", cases.CaseMerged(absorbed=self._id(step.case))
            case histories.Part():
                yield case, cases.CaseMergeReversed(into=self._id(step.into))
                yield f"case/{self._id(step.into)}", cases.CaseMergeReversed(absorbed=self._id(step.case))
            case histories.Resolve():
                yield (
                    case,
                    cases.CaseResolved(outcome=step.outcome, mechanism=Mechanism.UNKNOWN, by=Resolver.UNKNOWN),
                )
            case histories.Reopen():
                yield case, cases.CaseReopened(reason=step.reason)
            case histories.Close():
                yield case, cases.CaseClosed(reason=_NOBODY_READS)
            case histories.Cover():
                units, self._covering[step.case] = (step.place,), step.channel
                yield reporter, ReporterCoverageAssigned(units=units, channel=step.channel, cadence_days=step.every)
            case histories.CheckIn():
                yield reporter, ReporterCheckedIn(on=step.on, channel=step.channel or self._covering[step.case])
            case histories.StandDown():
                yield reporter, ReporterStoodDown(reason=StandDown.OWN_WISH)
            case histories.Receive():
                yield f"report/{self._id(step.case)}", self._received(step)
            case histories.Election():
                yield "reference/elections", _dated_election(step)
            case _:
                raise TypeError(f"nobody said what {step.verb} does")

    def _received(self, step: histories.Receive) -> ReportReceived:
        return ReportReceived(
            channel=step.channel,
            language=Language.KIRUNDI,
            kind=Kind.TENSION,
            basis=Basis.UNKNOWN,
            recorded_by=RecordedBy.SELF,
            people_agree_to_share=PeopleAgree.NOT_ASKED,
            place=_located(step.place),
            urgency=Urgency.UNKNOWN,
            received_at=self._noon(step.on),
            text=_NOBODY_READS,
        )

    def _id(self, name: str) -> UUID:
        made = uuid5(_IDS, name)
        self._names[str(made)] = name
        return made

    # --- what stands ------------------------------------------------------------------------------------------------

    def compare(self, number: int, step: histories.Expect) -> Iterator[Miss]:
        stands = self._stands(step.place)
        because = tuple(self._because(step.place))
        wanted = {
            "level": step.expect,
            "points": step.points,
            "open_cases": step.open_cases,
            "confidence": step.confidence,
            "alert": step.alert,
        }
        for what, value in wanted.items():
            if value is not None and value != stands[what]:
                yield Miss(
                    number, step.on, what.replace("_", " "), _said(what, value), _said(what, stands[what]), because
                )
                because = ()

    def _stands(self, place: str) -> dict[str, Any]:
        row = self._rows.get(place, {"level": 0, "points": 0, "open_cases": 0, "confidence": None})
        alert = self._alerts.get(place)
        return row | {"alert": "none" if alert is None else str(alert.change)}

    def _because(self, place: str) -> Iterator[str]:
        row = self._rows.get(place)
        if row is None:
            yield f"nothing happened in {place!r}"
            return
        for one in orjson.loads(row["contributions"]):
            name = self._names.get(one["case_id"], one["case_id"])
            yield (
                f"{name}: {one['kind']}, given {points(one['given'])}, faded {points(one['faded'])}, floor "
                f"{points(one['floor'])}, as number {one['rank']} it counts {points(one['counted'])}"
            )
        if row["peace_offset"]:
            yield f"peace work takes off {points(row['peace_offset'])}"
        if row["straight_to"] is not None:
            yield f"a case goes straight to level {row['straight_to']}"


def _adopted(rules: str) -> reference.RulesAdopted:
    return reference.RulesAdopted(rule_set="trial", content_hash=hash_of(rules), content=rules)


def _speaks() -> reference.EngineAdopted:
    return reference.EngineAdopted(projection=alert_level.PROJECTION.name, number=alert_level.PROJECTION.version)


def _opened(step: histories.Open) -> cases.CaseOpened:
    occurred = None if step.expected and not step.occurred else step.occurred or step.on
    return cases.CaseOpened(
        kind=step.kind,
        place=_located(step.place),
        occurred=_day(occurred),
        expected=_day(step.expected),
        threat_to_life=step.threat_to_life,
        provisional=step.provisional,
        severity=step.severity,
        summary=_NOBODY_READS,
    )


def _located(place: str) -> Located:
    return Located(unit=place, precision=PlacePrecision.COMMUNE, gazetteer="trial")


def _day(on: date | None) -> Dated | None:
    return None if on is None else Dated.model_validate({"from": on, "to": on, "precision": "day"})


def _assessed(step: histories.Assess) -> cases.CaseAssessed:
    return cases.CaseAssessed(
        round=1,
        verification_state=step.state,
        credibility=step.credibility,
        severity=step.severity,
        circulating=step.circulating,
        quorum=_QUORUM,
    )


def _dated_election(step: histories.Election) -> reference.ElectionDated:
    return reference.ElectionDated(
        election=step.election.lower().replace(" ", "-"),
        round=step.round,
        standing=step.standing,
        on=step.polling,
        campaign_from=step.campaign_from,
        source="a history of a trial",
    )


def _said(what: str, value: Any) -> str:
    match what:
        case "level":
            return f"{value} ({LEVELS[value]})" if value is not None else "not computed"
        case "points":
            return points(value)
        case _:
            return str(value)
