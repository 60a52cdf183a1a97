"""What an event says of its case, for its weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tests.faults.checker.weights import Case


class Told(Protocol):
    """What is read of an event."""

    @property
    def time(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def home(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...


class Families(Protocol):
    """Who was merged into whom."""

    def merge(self, case: Case, into: str | None) -> None: ...


def lose_link(case: Case, report: str) -> None:
    if report in case.links:
        case.links.remove(report)
        if not case.links and not case.provisional:
            case.own_ground = False


def _classified(families: Families, case: Case, event: Told) -> None:
    case.kind = event.data["kind"]


def _linked(families: Families, case: Case, event: Told) -> None:
    case.links.add(event.data["report_id"])
    case.own_ground = True


def _unlinked(families: Families, case: Case, event: Told) -> None:
    lose_link(case, event.data["report_id"])


def _assessed(families: Families, case: Case, event: Told) -> None:
    case.assessment = event.data
    case.own_ground |= case.unfounded


def _ratified(families: Families, case: Case, event: Told) -> None:
    case.ratified, case.refused, case.provisional = True, False, False
    case.own_ground |= case.unfounded


def _not_ratified(families: Families, case: Case, event: Told) -> None:
    case.refused, case.provisional = True, False


def _merged(families: Families, case: Case, event: Told) -> None:
    if "into" in event.data:
        families.merge(case, event.data["into"])


def _parted(families: Families, case: Case, event: Told) -> None:
    if "into" in event.data:
        families.merge(case, None)


def _resolved(families: Families, case: Case, event: Told) -> None:
    case.resolved_as = event.data["outcome"]


def _closed(families: Families, case: Case, event: Told) -> None:
    case.closed = True


def _reopened(families: Families, case: Case, event: Told) -> None:
    case.resolved_as, case.closed, case.refused = None, False, False
    case.own_ground |= case.unfounded
    if event.data["reason"] == "danger_returned":
        case.danger_returned_at = event.time


CHANGES: dict[str, Callable[[Families, Case, Told], None]] = {
    "case.classified": _classified,
    "case.report_linked": _linked,
    "case.report_unlinked": _unlinked,
    "case.assessed": _assessed,
    "case.ratified": _ratified,
    "case.not_ratified": _not_ratified,
    "case.merged": _merged,
    "case.merge_reversed": _parted,
    "case.resolved": _resolved,
    "case.closed": _closed,
    "case.reopened": _reopened,
}
