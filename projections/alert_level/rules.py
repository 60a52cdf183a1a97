"""A rule set as a fold uses it: plain tables, local days, and the moments of local midnights."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date

from events.alert import KindGroup
from projections.local_days import LocalDays
from projections.rule_set import Step, hash_of, read_rule_set

LAST_DAY = date(9000, 12, 31).toordinal()
"""No day is counted beyond it: what is expected later than that never falls due."""


class Fade:
    """What is left of points, in permille, so many days after a day; it changes at few days only."""

    __slots__ = ("days", "shares")

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.days = tuple(days for days, _ in steps)
        self.shares = (1000, *(share for _, share in steps))

    def at(self, age: int) -> tuple[int, int | None]:
        """What is left at an age, the share of the last step that is not later, and the age of the next step."""
        passed = bisect_right(self.days, age)
        return self.shares[passed], self.days[passed] if passed < len(self.days) else None


class KindRules:
    """How cases of one kind give points, or take them off."""

    __slots__ = ("by_circulation", "fade", "floored", "group", "in_window", "kept_when", "peace", "points", "softened")

    def __init__(
        self,
        points: int,
        fade: tuple[Step, ...],
        *,
        peace: bool = False,
        by_circulation: bool = False,
        floored: bool = False,
        in_window: bool = False,
        softened: bool = False,
        group: KindGroup | None = None,
        kept_when: frozenset[str] = frozenset(),
    ) -> None:
        self.points = points
        self.fade = Fade(fade)
        self.peace = peace
        self.by_circulation = by_circulation
        self.floored = floored
        self.in_window = in_window
        self.softened = softened
        self.group = group
        self.kept_when = kept_when


class Rules(LocalDays):
    """A rule set in force. Two of the same text are the same rules."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.hash = hash_of(text)
        self.set = rules = read_rule_set(text)
        super().__init__(rules.time_zone)
        self.kinds: dict[str, KindRules] = {}
        for word, kind in rules.kinds.items():
            self.kinds[str(word)] = KindRules(
                kind.points,
                kind.fade,
                by_circulation=kind.scored_by == "circulation",
                floored=kind.floored,
                in_window=kind.in_window,
                softened=kind.softened,
                group=kind.group,
            )
        for word, peace in rules.peace.kinds.items():
            kept_when = frozenset(str(outcome) for outcome in peace.kept_when)
            self.kinds[str(word)] = KindRules(peace.points, peace.fade, peace=True, kept_when=kept_when)
        self.severity = {str(word): value for word, value in rules.severity.items()}
        self.credibility = {str(word): value for word, value in rules.credibility.items()}
        self.circulation = {str(word): value for word, value in rules.circulation.items()}
        self.resolved = {str(word): value for word, value in rules.ended.resolved.items()}
        self.floors = {str(word): value for word, value in rules.floors.items()}
        self.disproved = frozenset(str(word) for word in rules.disproved)
        self.blocked_by = frozenset(str(word) for word in rules.peace.blocked_by)
        self.windows = {str(word): value for word, value in rules.windows.items()}
        self.straight_to = str(rules.straight_to.severity)
        self.up = rules.levels.up
        self.down = rules.levels.down
        self.ranks = rules.ranks
        self.lower_assessment_corrects = rules.alerts.lower_assessment_corrects
        silence = rules.coverage
        self.patience = silence.patience if silence else None
        self.corrects_later = silence is not None and silence.corrects_later

    def level(self, points: int, before: int) -> int:
        """The level of so many points: raised at a threshold upwards, lowered only under the one downwards."""
        return max(bisect_right(self.up, points), min(before, bisect_right(self.down, points)))
