"""A unit: the cases that count in it, in order of weight, and the level that they add up to."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping

from projections.alert_level.case import Case, Weight
from projections.alert_level.elections import NO_WINDOW
from projections.alert_level.places import OUTSIDE, UNPLACED
from projections.alert_level.rules import Rules

Counted = tuple[str, str, int, int, int, int, int]
"""A case in a sum: case id, kind, given, faded, floor, rank, counted."""


class Unit:
    """What stands in a unit's row, and what it is computed from.

    `level` is None while nothing can be computed: before any rules, and for what has no place. `harm` and `peace` hold
    (minus weight, case id), so that the heaviest stands first and equals stand in order of their ids.
    """

    __slots__ = (
        "asks",
        "blockers",
        "cause",
        "changes",
        "counted",
        "effective_at",
        "harm",
        "level",
        "offset",
        "offsetting",
        "open_cases",
        "peace",
        "points",
        "rules_hash",
        "straight",
        "straights",
        "unit",
        "window",
        "windowed",
    )

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.level: int | None = None
        self.points = 0
        self.offset = 0
        self.straight: int | None = None
        self.counted: tuple[Counted, ...] = ()
        self.offsetting: tuple[Counted, ...] = ()
        self.rules_hash: str | None = None
        self.changes = 0
        self.cause: str | None = None
        self.effective_at: str | None = None
        self.window = NO_WINDOW
        self.harm: list[tuple[int, str]] = []
        self.peace: list[tuple[int, str]] = []
        self.open_cases = self.asks = self.blockers = self.straights = self.windowed = 0

    @property
    def is_levelled(self) -> bool:
        return self.unit != UNPLACED

    @property
    def has_windows(self) -> bool:
        """Whether elections are held here."""
        return self.is_levelled and not self.unit.startswith(OUTSIDE)

    @property
    def window_shown(self) -> int:
        """The window as it counts: a whole where no case is multiplied by it."""
        return self.window if self.windowed else NO_WINDOW

    def count(self, case_id: str, weight: Weight, sign: int) -> None:
        """Let a case count here (1), or no more (-1)."""
        for heavy, ranked in ((weight.weighted, self.harm), (weight.worth, self.peace)):
            if heavy and sign > 0:
                insort(ranked, (-heavy, case_id))
            elif heavy:
                del ranked[bisect_left(ranked, (-heavy, case_id))]
        self.open_cases += sign * weight.is_open
        self.asks += sign * weight.asks
        self.blockers += sign * weight.blocks
        self.straights += sign * weight.straight
        self.windowed += sign * weight.windowed

    def settle(self, cases: Mapping[str, Case], rules: Rules) -> int:
        """Sum up, and return the level that follows; the level itself is left as it is."""
        self.counted = _ranked(self.harm, cases, rules)
        soft = sum(one[6] for one in self.counted if rules.kinds[one[1]].softened)
        self.offsetting = () if self.blockers else _ranked(self.peace, cases, rules)
        self.offset = min(sum(one[6] for one in self.offsetting), soft * rules.set.peace.share // 1000)
        self.points = sum(one[6] for one in self.counted) - self.offset
        self.straight = rules.set.straight_to.level if self.straights else None
        self.rules_hash = rules.hash
        return max(rules.level(self.points, self.level or 0), self.straight or 0)


def _ranked(ranked: list[tuple[int, str]], cases: Mapping[str, Case], rules: Rules) -> tuple[Counted, ...]:
    counted = []
    for rank, (minus, case_id) in enumerate(ranked[: len(rules.ranks)], 1):
        case = cases[case_id]
        weight = case.weight
        share = -minus * rules.ranks[rank - 1] // 1000
        counted.append((case_id, case.kind, weight.given, weight.faded, weight.floor, rank, share))
    return tuple(counted)
