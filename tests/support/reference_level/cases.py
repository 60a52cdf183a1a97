"""What the log and the midnights so far say of every case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from projections.taken import Taken
from tests.support.reference_level.adopted import gazetteer_of


@dataclass
class Case:
    """What the log says of one case so far."""

    case_id: str
    home: str
    place: str
    kind: str
    opened_at: str
    occurred: Mapping[str, Any]
    expected: Mapping[str, Any]
    threat: bool
    provisional: bool
    stated_severity: str | None
    assessment: Mapping[str, Any] | None = None
    ratified: bool = False
    not_ratified: bool = False
    merged_into: str | None = None
    resolved_as: str | None = None
    closed: bool = False
    danger_returned_at: str | None = None
    links: set[str] = field(default_factory=set)
    has_ground_of_its_own: bool = True
    unfounded: bool = False
    laid_by: bool = False
    row: str = ""

    @property
    def is_open(self) -> bool:
        return self.resolved_as is None and self.merged_into is None and not (self.closed or self.not_ratified)

    @property
    def gives_nothing(self) -> bool:
        return self.merged_into is not None or self.not_ratified or self.unfounded


def known(log: Sequence[Taken], laid_by: Sequence[tuple[int, str]]) -> dict[str, Case]:
    """Every case that was opened, as the log and the midnights so far leave it."""
    cases: dict[str, Case] = {}
    places = None
    for number, event in enumerate(log):
        for at, case_id in laid_by:
            if at == number:
                cases[case_id].laid_by = True
        noun, _, name = event.stream.partition("/")
        if event.type == "case.opened":
            cases[name] = opened(event, name)
        elif noun == "case" and name in cases and event.type in CASE_EVENTS:
            cases[name].unfounded = stands_on_nothing(cases[name], cases)
            CASE_EVENTS[event.type](cases[name], event)
            cases[name].laid_by = False
        elif event.type in ("report.withdrawn", "report.superseded"):
            for case in cases.values():
                lose_link(case, name)
        elif event.type == "reference.gazetteer_adopted":
            places = gazetteer_of(event)
        for case in cases.values():
            if not case.laid_by:
                case.row = places.row_at(case.place) if places else case.place
    for case in cases.values():
        case.unfounded = stands_on_nothing(case, cases)
    return cases


def stands_on_nothing(case: Case, cases: Mapping[str, Case]) -> bool:
    """Neither the case nor any merged into it, directly or through another, has ground of its own."""
    family = [case.case_id]
    for one in family:
        family += [other for other in cases if cases[other].merged_into == one and other not in family]
    return not any(cases[one].has_ground_of_its_own for one in family)


def opened(event: Taken, case_id: str) -> Case:
    data = event.data
    return Case(
        case_id=case_id,
        home=event.home,
        place=data["place"]["unit"],
        kind=data["kind"],
        opened_at=event.time,
        occurred=data.get("occurred", {}),
        expected=data.get("expected", {}),
        threat=data["threat_to_life"],
        provisional=data["provisional"],
        stated_severity=data.get("severity"),
    )


def classified(case: Case, event: Taken) -> None:
    case.kind = event.data["kind"]


def linked(case: Case, event: Taken) -> None:
    case.links.add(event.data["report_id"])
    case.has_ground_of_its_own = True


def unlinked(case: Case, event: Taken) -> None:
    lose_link(case, event.data["report_id"])


def lose_link(case: Case, report_id: str) -> None:
    if report_id in case.links:
        case.links.remove(report_id)
        if not case.links and not case.provisional:
            case.has_ground_of_its_own = False


def upheld(case: Case) -> None:
    """What the committee says of an unfounded case is ground for it."""
    if case.unfounded:
        case.has_ground_of_its_own = True


def assessed(case: Case, event: Taken) -> None:
    case.assessment = event.data
    upheld(case)


def ratified(case: Case, event: Taken) -> None:
    case.ratified, case.not_ratified, case.provisional = True, False, False
    upheld(case)


def not_ratified(case: Case, event: Taken) -> None:
    case.not_ratified, case.provisional = True, False


def merged(case: Case, event: Taken) -> None:
    if "into" in event.data:
        case.merged_into = event.data["into"]


def merge_reversed(case: Case, event: Taken) -> None:
    if "into" in event.data:
        case.merged_into = None


def resolved(case: Case, event: Taken) -> None:
    case.resolved_as = event.data["outcome"]


def closed(case: Case, event: Taken) -> None:
    case.closed = True


def reopened(case: Case, event: Taken) -> None:
    case.resolved_as, case.closed, case.not_ratified = None, False, False
    upheld(case)
    if event.data["reason"] == "danger_returned":
        case.danger_returned_at = event.time


CASE_EVENTS: dict[str, Callable[[Case, Taken], None]] = {
    "case.classified": classified,
    "case.report_linked": linked,
    "case.report_unlinked": unlinked,
    "case.assessed": assessed,
    "case.ratified": ratified,
    "case.not_ratified": not_ratified,
    "case.merged": merged,
    "case.merge_reversed": merge_reversed,
    "case.resolved": resolved,
    "case.reopened": reopened,
    "case.closed": closed,
}
