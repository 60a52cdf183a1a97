"""What an engine keeps of a home: its cases and units, who watches there, and what is still to be weighed or drawn."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from projections.alert_level.case import Case
from projections.alert_level.ground import Ground
from projections.alert_level.laid_by import LaidBy
from projections.alert_level.unit import Unit
from projections.watched import Watched


class Lost(NamedTuple):
    """A row that nobody watches: since which day, at which level, and whether something was taken back since."""

    since: int
    level: int
    taken_back: bool


class EngineHome:
    """All that one engine knows of one home."""

    __slots__ = (
        "by_report",
        "cases",
        "dirty_cases",
        "dirty_units",
        "drawn_due",
        "due",
        "due_day",
        "gone",
        "ground",
        "home",
        "laid_by",
        "midnights",
        "stale",
        "units",
        "watched",
        "windowed",
    )

    def __init__(self, home: str) -> None:
        self.home = home
        self.cases: dict[str, Case] = {}
        self.units: dict[str, Unit] = {}
        self.laid_by = LaidBy()
        self.ground = Ground(self.cases, self.laid_by)
        self.by_report: dict[str, list[str]] = {}
        self.midnights: list[tuple[int, str]] = []
        self.due: str | None = None
        self.due_day = 0
        self.drawn_due: str | None = None
        self.windowed = 0
        self.stale: set[str] = set()
        self.dirty_cases: set[str] = set()
        self.dirty_units: set[str] = set()
        self.gone: dict[str, Case] = {}
        self.watched = Watched()

    def hold(self, case: Case) -> None:
        """Take in a case as it was written: what it weighs stands in its row."""
        self.cases[case.case_id] = case
        for report_id in case.links:
            self.by_report.setdefault(report_id, []).append(case.case_id)
        self.ground.merge(case)
        self.add(case)
        self.stale.discard(case.unit)
        if case.weight.next_day is not None:
            heapq.heappush(self.midnights, (case.weight.next_day, case.case_id))

    def add(self, case: Case) -> None:
        """Let a case count in its unit, which is summed up anew where it is heavy enough to matter."""
        self.windowed += case.weight.windowed
        if self.unit(case.unit).add(case.case_id, case.weight):
            self.stale.add(case.unit)

    def remove(self, case: Case) -> None:
        """Let a case count no more in its unit."""
        self.windowed -= case.weight.windowed
        if self.units[case.unit].remove(case.case_id, case.weight):
            self.stale.add(case.unit)

    def lost_places(self) -> Iterator[tuple[str, Lost]]:
        """Places that somebody was ever assigned to, in rows that are lost."""
        for place_id, place in self.watched.watch.places.items():
            unit = self.units.get(place.row or "")
            if place.covered and unit is not None and unit.lost_since is not None:
                yield place_id, Lost(unit.lost_since, unit.level or 0, unit.taken_back)

    def every_case(self) -> Iterator[Case]:
        """Every case that was ever opened here, as it is known now, also those laid by; these without their links."""
        yield from self.cases.values()
        for case in self.laid_by:
            self.ground.find([case])
            yield case

    def unit(self, unit_id: str) -> Unit:
        unit = self.units.get(unit_id)
        if unit is None:
            unit = self.units[unit_id] = Unit(unit_id)
        return unit
