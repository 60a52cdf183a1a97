"""What is known of a case in the end, as services/what_if looks at it: its day, its unit, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from events.vocabulary import CaseOutcome, Kind, Severity, VerificationState
from projections.alert_level.case import Case
from projections.alert_level.places import Places
from projections.local_days import LocalDays

DANGERS = frozenset(
    {
        Kind.TENSION,
        Kind.VIOLENCE,
        Kind.WEAPONS,
        Kind.RUMOUR_OR_HATE_SPEECH,
        Kind.ELECTORAL_IRREGULARITY,
        Kind.DETENTION_OR_RIGHTS,
        Kind.DISPLACEMENT,
    }
)
"""Kinds of cases that tell of a danger; the others tell of peace, or of other cases."""

SEVERE = frozenset({Severity.SEVERE, Severity.EXTREME})
CONFIRMED = frozenset({VerificationState.CONFIRMED_TRUE, VerificationState.PROBABLY_TRUE})
AVERTED = frozenset({CaseOutcome.PREVENTED, CaseOutcome.SETTLED})


class Became(StrEnum):
    """What became of the danger that a case tells of."""

    HARM = "harm"
    AVERTED = "averted"
    UNKNOWN = "unknown"
    NOTHING = "nothing"


class Danger(NamedTuple):
    """A case as it is compared; `case_id` only of a severe one."""

    unit: str
    day: int
    became: Became
    severity: str | None = None
    case_id: str | None = None


class Maps:
    """The gazetteers that were adopted, each from its day on."""

    def __init__(self) -> None:
        self._adopted: list[tuple[int, Places]] = []

    def adopt(self, day: int, places: Places) -> None:
        self._adopted.append((day, places))

    def row(self, place: str, day: int) -> str:
        """The unit under which a place counted on a day."""
        in_force = [places for since, places in self._adopted if since <= day] or [
            places for _, places in self._adopted[:1]
        ]
        return in_force[-1].row(place) if in_force else place


def danger(case: Case, maps: Maps, days: LocalDays) -> Danger | None:
    """A case as it is compared; None for one that tells of no danger, or that another one tells."""
    if case.kind not in DANGERS or case.into is not None:
        return None
    day = _day(case, days)
    severe = is_severe(case)
    return Danger(
        maps.row(case.place, day),
        day,
        _became(case),
        case.severity if severe else None,
        case.case_id if severe else None,
    )


def is_severe(case: Case) -> bool:
    return case.assessed and case.severity in SEVERE and not _taken_back(case)


def _taken_back(case: Case) -> bool:
    return case.not_ratified or case.unfounded or case.verification == VerificationState.CONFIRMED_FALSE


def _became(case: Case) -> Became:
    if _taken_back(case):
        return Became.NOTHING
    if case.resolved == CaseOutcome.HARM_DONE or (is_severe(case) and case.verification in CONFIRMED):
        return Became.HARM
    if case.resolved in AVERTED:
        return Became.AVERTED
    return Became.NOTHING if case.resolved == CaseOutcome.SUBSIDED else Became.UNKNOWN


def _day(case: Case, days: LocalDays) -> int:
    opened = days.day_of_second(case.opened)
    if case.occurred is not None:
        return min(case.occurred, opened)
    return opened if case.expected is None else case.expected
