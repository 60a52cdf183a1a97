"""The level of one row on one day: 7 to 11 of the numbered definition in projections/alert_level.

What each case weighs is kept in order, and worked out again only where something was said of it, where it fades, and
where rules or the window changed: a crowded row costs an event no more than an empty one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from datetime import date
from heapq import heappop, heappush
from typing import Any, NamedTuple

from tests.faults.checker.watched import BLIND, UNKNOWN
from tests.faults.checker.weights import Case, Rules, Weight, weigh, weighs_otherwise_on

Key = tuple[int, str]
"""What a case weighs, the heaviest first, and its id."""


class Kept(NamedTuple):
    """What a case was when it was weighed."""

    weight: Weight
    is_open: bool
    blocks: bool
    straight: bool
    next_day: date | None

    @property
    def is_over(self) -> bool:
        """Whether it is closed in any way and weighs nothing."""
        return not (self.is_open or self.weight.standing or self.weight.worth)


class Unit:
    """A row: the cases in it, and its level so far. `told` is what was last said of it, or would have been."""

    def __init__(self, unit: str, home: str) -> None:
        self.unit, self.home = unit, home
        self.cases: dict[str, Case] = {}
        self.level: int | None = None
        self.told: dict[str, Any] = {}
        self.over: set[str] = set()
        self._stale: set[str] = set()
        self._kept: dict[str, Kept] = {}
        self._harm: list[Key] = []
        self._peace: list[Key] = []
        self._fading: list[tuple[date, str]] = []
        self._open = self._blocking = self._straight = self._multiplied = 0
        self._rules: Rules = {}
        self._hash = ""
        self._times = 1000
        self.confidence = UNKNOWN
        self.lost_since: date | None = None
        self.held = 0
        self.taken_back = False
        self._adds_up_to = self._added_up_to = 0
        self._summed = (0, False)
        self._turned = False

    def watch(self, confidence: tuple[str, str], day: date) -> None:
        """How well it is watched from a day on; where nobody watches, its cases are as old as on that day."""
        self.confidence, was = confidence, self.lost_since
        if confidence != BLIND:
            self.lost_since = None
        elif was is None:
            self.lost_since = day
        if self.lost_since != was:
            self._turned = True
            self._stale |= self.cases.keys()

    def came_lost(self, since: date, level: int, taken_back: bool) -> None:
        """12. It has a place of a row that nobody watched until now, and is not watched itself."""
        if self.lost_since is not None:
            self.taken_back = self.taken_back or taken_back
            self.lost_since, self.held = min(since, self.lost_since), max(level, self.held)
            self._stale |= self.cases.keys()

    def put(self, case: Case) -> None:
        self.cases[case.case_id] = case
        self._stale.add(case.case_id)

    def drop(self, case_id: str) -> None:
        del self.cases[case_id]
        self._stale.add(case_id)

    def touch(self, case_id: str) -> None:
        """Something was said that may change what it weighs."""
        if case_id in self.cases:
            self._stale.add(case_id)

    @property
    def multiplied(self) -> bool:
        """Whether the window makes any of its cases weigh more."""
        return self._multiplied > 0

    def weigh(self, day: date, window: int, rules: Rules, rules_hash: str) -> bool:
        """Weigh what may weigh otherwise now; whether its level may be another one."""
        times = 1000 if self.unit.startswith("outside:") else window
        if (times, rules_hash) != (self._times, self._hash):
            self._rules, self._hash, self._times = rules, rules_hash, times
            self._stale |= self.cases.keys() | self._kept.keys()
        while self._fading and self._fading[0][0] <= day:
            next_day, case_id = heappop(self._fading)
            if case_id in self._kept and self._kept[case_id].next_day == next_day:
                self._stale.add(case_id)
        for case_id in self._stale:
            self._forget(case_id)
            if case_id in self.cases:
                self._keep(self.cases[case_id], day)
        changed = bool(self._stale) or self._turned
        self._stale, self._turned = set(), False
        return changed

    def step(self) -> bool:
        """Its level now; whether that is another one."""
        before = self.level or 0
        self._added_up_to = self._level_of(*self._summed)
        _, _, points = self._points()
        self._summed = points, self._straight > 0
        self._adds_up_to = self._level_of(*self._summed)
        held = 0 if self.lost_since is None else max(before, self.held)  # 12
        self.held = 0
        self.level = max(self._adds_up_to, held)
        return self.level != before

    @property
    def fell(self) -> bool:
        """Whether what it adds up to is less by its last step, be it held or not."""
        return self._adds_up_to < self._added_up_to

    def remember(self, cause: str) -> None:
        """12. What was taken back while nobody watches, as long as the level is held because of that."""
        if self.lost_since is None or self._level_of(*self._summed) >= (self.level or 0):
            self.taken_back = False
        elif self.fell and cause == "retraction" and self._rules["coverage"].get("corrects_later", False):
            self.taken_back = True

    def _level_of(self, points: int, straight: bool) -> int:
        rules = self._rules
        up = sum(points >= least for least in rules["levels"]["up"])  # 11
        down = sum(points >= least for least in rules["levels"]["down"])
        return int(max(up, min(self.level or 0, down), rules["straight_to"]["level"] if straight else 0))  # 10

    def tell(self) -> dict[str, Any]:
        """What is to be said of it, but for why, when, and from which level it came."""
        harm, peace, points = self._points()
        rules = self._rules
        return {
            "unit": self.unit,
            "to": self.level,
            "points": points,
            "contributions": [told for _, told in harm],
            "peace": [told for _, told in peace],
            "peace_offset": sum(told["counted"] for _, told in harm) - points,
            "window_permille": self._times if self.multiplied else 1000,
            "open_cases": self._open,
            "confidence": self.confidence[0],
            "confidence_reason": self.confidence[1],
            "rules_hash": self._hash,
            **({"straight_to": rules["straight_to"]["level"]} if self._straight else {}),
        }

    def _points(self) -> tuple[list[tuple[Weight, dict[str, Any]]], list[tuple[Weight, dict[str, Any]]], int]:
        harm = self._ranked(self._harm)  # 7
        peace = [] if self._blocking else self._ranked(self._peace)  # 8
        softened = sum(told["counted"] for weight, told in harm if weight.softened)
        most = softened * self._rules["peace"]["share"] // 1000
        offset = min(sum(told["counted"] for _, told in peace), most)
        return harm, peace, sum(told["counted"] for _, told in harm) - offset  # 9

    def _ranked(self, keys: Sequence[Key]) -> list[tuple[Weight, dict[str, Any]]]:
        """7. The largest first, equals by case id; beyond the last rank none counts."""
        found = []
        for rank, ((lightness, case_id), share) in enumerate(zip(keys, self._rules["ranks"], strict=False), 1):
            weight = self._kept[case_id].weight
            told = {
                "case_id": case_id,
                "kind": self.cases[case_id].kind,
                "given": weight.given,
                "faded": weight.faded,
                "floor": weight.floor,
                "rank": rank,
                "counted": -lightness * share // 1000,
            }
            found.append((weight, told))
        return found

    def _keep(self, case: Case, day: date) -> None:
        rules = self._rules
        weight = weigh(case, rules, self.lost_since or day, self._times)
        grave = not weight.peace and weight.given > 0 and case.is_open
        kept = Kept(
            weight,
            case.is_open,
            grave and weight.severity in rules["peace"]["blocked_by"],
            grave and case.assessment is not None and weight.severity == rules["straight_to"]["severity"],
            weighs_otherwise_on(case, rules, day) if self.lost_since is None else None,
        )
        self._kept[case.case_id] = kept
        if kept.next_day is not None:
            heappush(self._fading, (kept.next_day, case.case_id))
        if kept.is_over:
            self.over.add(case.case_id)
        for keys, amount in ((self._harm, weight.weighted), (self._peace, weight.worth)):
            if amount:
                insort(keys, (-amount, case.case_id))
        self._count(kept, 1)

    def _forget(self, case_id: str) -> None:
        kept = self._kept.pop(case_id, None)
        if kept is None:
            return
        self.over.discard(case_id)
        for keys, amount in ((self._harm, kept.weight.weighted), (self._peace, kept.weight.worth)):
            if amount:
                del keys[bisect_left(keys, (-amount, case_id))]
        self._count(kept, -1)

    def _count(self, kept: Kept, one: int) -> None:
        self._open += one * kept.is_open
        self._blocking += one * kept.blocks
        self._straight += one * kept.straight
        self._multiplied += one * kept.weight.multiplied
