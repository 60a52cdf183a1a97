"""Both sides compared, by the definitions of services/what_if: days, lead time, what became of alerts, alerts told."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from events.alert import AlertChange
from projections.alert_level.naming import LEVELS
from projections.alert_level.places import UNPLACED
from services.what_if.cases import Became, Danger
from services.what_if.days import Run, Stretch, alerts, side_by_side
from services.what_if.folding import Kept, Said

MONTH = 30
"""Days before and after an alert, or a case, within which one has to do with the other."""

WARNED_FROM = LEVELS.index("alert")


class Side(StrEnum):
    """Whose word it is: that of the rules as they were adopted, or that of the others."""

    ADOPTED = "adopted"
    OTHER = "other"


class Verdict(StrEnum):
    """What became of an alert."""

    BORNE_OUT = "borne_out"
    PREVENTED = "prevented"
    UNKNOWN = "unknown"
    FALSE = "false"


class Unknown(StrEnum):
    """Why nobody can say what became of an alert."""

    NO_CASE = "no_case"
    TOO_EARLY = "too_early"
    NO_OUTCOME = "no_outcome"


class Warned(NamedTuple):
    """A severe case, and how many days before it each side warned; None: never."""

    case_id: str
    unit: str
    day: int
    severity: str
    adopted: int | None
    other: int | None

    @property
    def gained(self) -> int | None:
        """Days gained under the other rules; below 0 they are lost."""
        return None if self.adopted is None or self.other is None else self.other - self.adopted


class Alert(NamedTuple):
    """An unbroken run of alert days of a unit on one side, and what became of it; `alone`: the other side has none."""

    side: Side
    unit: str
    first: int
    last: int
    level: int
    verdict: Verdict
    because: Unknown | None
    alone: bool


class Difference(NamedTuple):
    """A unit's days in a row on which the two sides do not say the same."""

    unit: str
    stretch: Stretch


@dataclass(frozen=True)
class Comparison:
    """All that is told; days are ordinals, lists are in order of units and days.

    `runs` are the levels of each unit, `unit_days` the numbers of days at each level, over all units; `by_day` says
    how many units were at an alert on each day from `first` on. `not_asked` are severe cases of no place, or of
    before the first or after the last day.
    """

    first: int
    last: int
    warned_from: int
    units: Sequence[str]
    names: Mapping[str, str]
    runs: Mapping[Side, Mapping[str, Sequence[Run]]]
    unit_days: Mapping[Side, Sequence[int]]
    by_day: Mapping[Side, Sequence[int]]
    differences: Sequence[Difference]
    warned: Sequence[Warned]
    not_asked: int
    alerts: Sequence[Alert]
    told: Mapping[Side, Mapping[str, int]]
    told_by_unit: Mapping[Side, Mapping[str, int]]

    @property
    def differing_days(self) -> int:
        return sum(one.stretch.days for one in self.differences)

    def alert_days(self, side: Side) -> int:
        return sum(self.unit_days[side][self.warned_from :])

    def verdicts(self, side: Side) -> Counter[Verdict]:
        return Counter(one.verdict for one in self.alerts if one.side is side)

    def false_permille(self, side: Side) -> int | None:
        """The share of false alarms among alerts that are not unknown; None where there are none."""
        counts = self.verdicts(side)
        known = sum(counts.values()) - counts[Verdict.UNKNOWN]
        return counts[Verdict.FALSE] * 1000 // known if known else None

    def name(self, unit: str) -> str:
        """What people call a unit; with its id where another one is called the same."""
        name = self.names.get(unit, unit)
        return f"{name} ({unit})" if name in self._doubled and name != unit else name

    @cached_property
    def _doubled(self) -> frozenset[str]:
        called = Counter(self.names.values())
        return frozenset(name for name, number in called.items() if number > 1)


def compare(kept: Kept, first: int, last: int, warned_from: int = WARNED_FROM) -> Comparison:
    """Compare what was kept of all partitions, from the first day to the last one."""
    units = kept.units
    sides = {Side.ADOPTED: kept.adopted, Side.OTHER: kept.other}
    runs = {side: {unit: [*said.of(unit).runs(first, last)] for unit in units} for side, said in sides.items()}
    standing = {side: {unit: [*alerts(one, warned_from)] for unit, one in of.items()} for side, of in runs.items()}
    by_unit: dict[str, list[Danger]] = {}
    for one in kept.dangers:
        by_unit.setdefault(one.unit, []).append(one)
    severe = [one for one in kept.dangers if one.case_id is not None]
    asked = [one for one in severe if first <= one.day <= last and one.unit != UNPLACED]
    return Comparison(
        first=first,
        last=last,
        warned_from=warned_from,
        units=units,
        names=kept.names,
        runs=runs,
        unit_days={side: _unit_days(of.values()) for side, of in runs.items()},
        by_day={side: _by_day(of.values(), first, last) for side, of in standing.items()},
        differences=[*_differences(units, runs)],
        warned=sorted(_warned(asked, standing), key=lambda one: (one.day, one.unit, one.case_id)),
        not_asked=len(severe) - len(asked),
        alerts=[*_judged(standing, by_unit, last)],
        told={side: _told(said) for side, said in sides.items()},
        told_by_unit={side: _told_by_unit(said) for side, said in sides.items()},
    )


def _unit_days(of_units: Iterable[Sequence[Run]]) -> tuple[int, ...]:
    days = [0] * len(LEVELS)
    for runs in of_units:
        for run in runs:
            days[run.level] += run.days
    return tuple(days)


def _by_day(of_units: Iterable[Sequence[Run]], first: int, last: int) -> tuple[int, ...]:
    turns = [0] * (last - first + 2)
    for runs in of_units:
        for run in runs:
            turns[run.first - first] += 1
            turns[run.last - first + 1] -= 1
    return tuple(accumulate(turns[:-1]))


def _differences(units: Iterable[str], runs: Mapping[Side, Mapping[str, Sequence[Run]]]) -> Iterator[Difference]:
    for unit in units:
        for stretch in side_by_side(runs[Side.ADOPTED][unit], runs[Side.OTHER][unit]):
            if stretch.adopted != stretch.other:
                yield Difference(unit, stretch)


def _warned(severe: Iterable[Danger], standing: Mapping[Side, Mapping[str, Sequence[Run]]]) -> Iterator[Warned]:
    for one in severe:
        assert one.case_id is not None
        assert one.severity is not None
        adopted, other = (lead(standing[side].get(one.unit, ()), one.day) for side in (Side.ADOPTED, Side.OTHER))
        yield Warned(one.case_id, one.unit, one.day, one.severity, adopted, other)


def lead(of_unit: Sequence[Run], day: int) -> int | None:
    """How many days before a day an alert of its unit began; below 0 that many after it, None where none did."""
    at = bisect_right(of_unit, day, key=lambda run: run.first)
    if at and of_unit[at - 1].last >= day:
        return min(day - of_unit[at - 1].first, MONTH)
    if at < len(of_unit) and of_unit[at].first - day <= MONTH:
        return day - of_unit[at].first
    return None


def _judged(
    standing: Mapping[Side, Mapping[str, Sequence[Run]]], by_unit: Mapping[str, Sequence[Danger]], last: int
) -> Iterator[Alert]:
    for side, across in ((Side.ADOPTED, Side.OTHER), (Side.OTHER, Side.ADOPTED)):
        for unit, runs in standing[side].items():
            for run in runs:
                verdict, because = became(run, by_unit.get(unit, ()), last)
                alone = not any(one.first <= run.last and run.first <= one.last for one in standing[across][unit])
                yield Alert(side, unit, run.first, run.last, run.level, verdict, because, alone)


def became(alert: Run, of_unit: Iterable[Danger], last: int) -> tuple[Verdict, Unknown | None]:
    """What became of an alert of a unit, from the cases of that unit; `last` is the last day that is known."""
    found = {one.became for one in of_unit if alert.first - MONTH <= one.day <= alert.last + MONTH}
    if Became.HARM in found:
        return Verdict.BORNE_OUT, None
    if Became.AVERTED in found:
        return Verdict.PREVENTED, None
    if not found:
        return Verdict.UNKNOWN, Unknown.NO_CASE
    if alert.last + MONTH > last:
        return Verdict.UNKNOWN, Unknown.TOO_EARLY
    return (Verdict.UNKNOWN, Unknown.NO_OUTCOME) if Became.UNKNOWN in found else (Verdict.FALSE, None)


def _told(said: Said) -> dict[str, int]:
    told = Counter({str(change): 0 for change in AlertChange})
    for (_, change), number in said.alerts.items():
        told[change] += number
    return dict(told)


def _told_by_unit(said: Said) -> dict[str, int]:
    told: Counter[str] = Counter()
    for (unit, _), number in said.alerts.items():
        told[unit] += number
    return dict(told)
