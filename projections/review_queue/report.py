"""What waits about a report: to be graded, concluded, placed, dated. One that fell waits for nothing more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from projections.review_queue.waiting import Waiting
from projections.taken import Taken


@dataclass(slots=True)
class ReportWaits:
    """A report as its reviewers need it. `grades` (who → credibility) and `recused` are those of the round.

    `changed_at` is the position of the last event that changed what a case may have rested on.
    """

    stream: str
    home: str = ""
    unit: str = ""
    kind: str = ""
    urgency: str = "unknown"
    stands: bool = False
    received_at: str = ""
    received_on: str = ""
    round: int = 1
    grades: dict[str, str] = field(default_factory=dict)
    first_grade_at: str | None = None
    agreeing: int = 0
    agreeing_since: str | None = None
    recused: list[str] = field(default_factory=list)
    unplaced: bool = False
    doubtful: bool = False
    occurred: dict[str, Any] | None = None
    expected: dict[str, Any] | None = None
    changed_at: int | None = None
    shown: list[str] = field(default_factory=list)

    def apply(self, event: Taken) -> None:
        _CHANGES.get(event.type, _nothing)(self, event)

    def waiting(self) -> Iterator[Waiting]:
        if not self.stands:
            return
        about = Waiting(self.stream, "", self.received_at, self.home, self.unit, self.kind, self.urgency == "immediate")
        if self.round == 1 or self.grades:
            graded = about._replace(
                round=self.round,
                grades=len(self.grades),
                agreeing=self.agreeing,
                graded_by=f"{{{','.join(sorted(self.grades))}}}",
                recused=f"{{{','.join(sorted(self.recused))}}}",
            )
            since = self.received_at if self.round == 1 else self.first_grade_at or self.received_at
            yield graded._replace(what="grading", since=since)
            if self.grades:
                yield graded._replace(what="conclusion", since=self.agreeing_since or since)
        if self.unplaced:
            yield about._replace(what="placing")
        if self.doubtful:
            yield about._replace(what="dating")


def _nothing(report: ReportWaits, event: Taken) -> None:
    """An event that changes nothing that waits."""


def _received(report: ReportWaits, event: Taken) -> None:
    data = event.data
    report.stands, report.home, report.unit = True, event.home, data["place"]["unit"]
    report.kind, report.urgency = data["kind"], data["urgency"]
    report.received_at, report.received_on = event.time, data["received_at"][:10]
    report.occurred, report.expected = data.get("occurred"), data.get("expected")
    flags = data.get("flags", ())
    report.unplaced, report.doubtful = "unplaced" in flags, "clock_doubtful" in flags
    if (carried := data.get("carried")) is not None:
        report.round = carried["round"]
        report.recused = list(carried.get("recused", ()))
        for grade in carried.get("grades", ()):
            if grade["round"] == report.round:
                _grade(report, grade["by"], grade["credibility"], event.time)


def _graded(report: ReportWaits, event: Taken) -> None:
    if event.data["round"] == report.round:
        _grade(report, event.data["by"], event.data["credibility"], event.time)


def _grade(report: ReportWaits, by: str, credibility: str, time: str) -> None:
    report.grades[by] = credibility
    report.first_grade_at = report.first_grade_at or time
    agreeing = max(Counter(report.grades.values()).values())
    if agreeing != report.agreeing:
        report.agreeing, report.agreeing_since = agreeing, time


def _recused(report: ReportWaits, event: Taken) -> None:
    if event.data["by"] not in report.recused:
        report.recused.append(event.data["by"])


def _concluded(report: ReportWaits, event: Taken) -> None:
    report.round = event.data["round"] + 1
    report.grades, report.recused = {}, []
    report.first_grade_at, report.agreeing, report.agreeing_since = None, 0, None
    report.changed_at = event.position


def _corrected(report: ReportWaits, event: Taken) -> None:
    data = event.data
    emptied = data.get("no_longer_stated", ())
    if "place" in data:
        report.unit = data["place"]["unit"]
    report.kind, report.urgency = data.get("kind", report.kind), data.get("urgency", report.urgency)
    report.occurred = None if "occurred" in emptied else data.get("occurred", report.occurred)
    report.expected = None if "expected" in emptied else data.get("expected", report.expected)
    settled = "occurred" in data or "occurred" in emptied
    report.doubtful = report.doubtful and _doubtful(report, occurred_is_settled=settled)
    report.changed_at = event.position


def _doubtful(report: ReportWaits, *, occurred_is_settled: bool) -> bool:
    """Whether a doubt about dates remains, as events/report/state says it. Dates are ISO, so text compares as dates."""
    if _turned(report.expected):
        return True
    if report.occurred is None or occurred_is_settled:
        return False
    days = [report.occurred.get("from"), report.occurred.get("to")]
    return _turned(report.occurred) or any(day > report.received_on for day in days if day)


def _turned(dated: Mapping[str, Any] | None) -> bool:
    starts, ends = (dated.get("from"), dated.get("to")) if dated else (None, None)
    return starts is not None and ends is not None and starts > ends


def _fell(report: ReportWaits, event: Taken) -> None:
    """No door lets anything more happen to it, so what nobody asks about again is forgotten."""
    report.stands, report.changed_at = False, event.position
    report.grades, report.recused, report.occurred, report.expected = {}, [], None, None


_CHANGES: Mapping[str, Callable[[ReportWaits, Taken], None]] = {
    "report.received": _received,
    "report.graded": _graded,
    "report.recused": _recused,
    "report.concluded": _concluded,
    "report.corrected": _corrected,
    "report.withdrawn": _fell,
    "report.superseded": _fell,
}
