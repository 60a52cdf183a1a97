"""A unit: the cases that count in it, in order of weight, and the level that they add up to."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from typing import Any

from projections.alert_level.case import Case, Weight
from projections.alert_level.elections import NO_WINDOW
from projections.alert_level.places import OUTSIDE, UNPLACED
from projections.alert_level.rules import Rules
from projections.watching import Coverage

Counted = dict[str, Any]
"""A case in a sum: case_id, counted, faded, floor, given, kind, rank, in this order."""

Ranked = tuple[int, str]
"""Minus its weight, and case id: the heaviest stands first, and equals stand in order of their ids."""


class Unit:
    """What stands in a unit's row, and what it is computed from.

    `level` is None while nothing can be computed: before any rules, and for what has no place. `shares` are what the
    first of `harm` count, `peace_shares` the first of `peace`. `lost_since` is the day on which its coverage was lost,
    `taken_back` whether something was taken back since that would have lowered the level.
    """

    __slots__ = (
        "asks",
        "blockers",
        "cause",
        "changes",
        "coverage",
        "effective_at",
        "harm",
        "level",
        "lost_since",
        "offset",
        "open_cases",
        "peace",
        "peace_shares",
        "points",
        "rules_hash",
        "shares",
        "straight",
        "straights",
        "taken_back",
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
        self.shares: list[int] = []
        self.peace_shares: list[int] = []
        self.rules_hash: str | None = None
        self.changes = 0
        self.cause: str | None = None
        self.effective_at: str | None = None
        self.coverage = Coverage.UNKNOWN
        self.lost_since: int | None = None
        self.taken_back = False
        self.window = NO_WINDOW
        self.harm: list[Ranked] = []
        self.peace: list[Ranked] = []
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

    def add(self, case_id: str, weight: Weight) -> bool:
        """Let a case count here; whether the sum may be another."""
        _, _, _, _, weighted, worth, is_open, asks, blocks, straight, windowed, _ = weight
        heavy = worth or blocks or straight
        if weighted:
            ranked = (-weighted, case_id)
            at = bisect_left(self.harm, ranked)
            self.harm.insert(at, ranked)
            heavy = heavy or at <= len(self.shares)
        if worth:
            insort(self.peace, (-worth, case_id))
        self.open_cases += is_open
        self.asks += asks
        self.blockers += blocks
        self.straights += straight
        self.windowed += windowed
        return bool(heavy)

    def remove(self, case_id: str, weight: Weight) -> bool:
        """Let a case count here no more; whether the sum may be another."""
        _, _, _, _, weighted, worth, is_open, asks, blocks, straight, windowed, _ = weight
        heavy = worth or blocks or straight
        if weighted:
            at = bisect_left(self.harm, (-weighted, case_id))
            del self.harm[at]
            heavy = heavy or at < len(self.shares)
        if worth:
            del self.peace[bisect_left(self.peace, (-worth, case_id))]
        self.open_cases -= is_open
        self.asks -= asks
        self.blockers -= blocks
        self.straights -= straight
        self.windowed -= windowed
        return bool(heavy)

    def settled(self, rules: Rules) -> int:
        """The level that what was summed up last would come to, were it not held."""
        return max(rules.level(self.points, self.level or 0), self.straight or 0)

    def settle(self, cases: Mapping[str, Case], rules: Rules) -> int:
        """Sum up, and return the level that follows; the level itself is left as it is."""
        harm = self.harm[: len(rules.ranks)]
        self.shares = shares = [-ranked[0] * rank // 1000 for ranked, rank in zip(harm, rules.ranks, strict=False)]
        self.peace_shares = []
        self.offset = 0
        if self.peace and not self.blockers:
            ranks = zip(self.peace, rules.ranks, strict=False)
            self.peace_shares = [-ranked[0] * rank // 1000 for ranked, rank in ranks]
            kinds = rules.kinds
            listed = zip(harm, shares, strict=True)
            soft = sum(share for (_, case_id), share in listed if kinds[cases[case_id].kind].softened)
            self.offset = min(sum(self.peace_shares), soft * rules.set.peace.share // 1000)
        self.points = sum(shares) - self.offset
        self.straight = rules.set.straight_to.level if self.straights else None
        self.rules_hash = rules.hash
        return self.settled(rules)

    def counted(self, cases: Mapping[str, Case]) -> list[Counted]:
        """The cases that make up the points, by rank."""
        return _listed(self.harm, self.shares, cases)

    def offsetting(self, cases: Mapping[str, Case]) -> list[Counted]:
        """The cases that take points off, by rank; none while they may not."""
        return _listed(self.peace, self.peace_shares, cases)


def _listed(ranked: list[Ranked], shares: list[int], cases: Mapping[str, Case]) -> list[Counted]:
    listed = []
    for rank, ((_, case_id), share) in enumerate(zip(ranked, shares, strict=False), 1):
        case = cases[case_id]
        weight = case.weight
        listed.append(
            {
                "case_id": case_id,
                "counted": share,
                "faded": weight.faded,
                "floor": weight.floor,
                "given": weight.given,
                "kind": case.kind,
                "rank": rank,
            }
        )
    return listed
