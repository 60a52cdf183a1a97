"""Which days lie in the window of an election, by the calendar as it was last announced."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from typing import Any

from projections.alert_level.rules import LAST_DAY, Rules

NO_WINDOW = 1000


class Calendar:
    """Elections by name, as their latest `election_dated` has them, and the windows that rules give them."""

    __slots__ = ("_boundaries", "_windows", "elections")

    def __init__(self, elections: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.elections: dict[str, Mapping[str, Any]] = dict(elections or {})
        self._windows: tuple[tuple[int, int, int], ...] = ()
        self._boundaries: tuple[int, ...] = ()

    def date(self, data: Mapping[str, Any]) -> None:
        """Take an election's date; a later one of the same name replaces it."""
        kept = ("round", "standing", "on", "campaign_from")
        self.elections[data["election"]] = {name: data[name] for name in kept if name in data}

    def measure(self, rules: Rules | None) -> None:
        """Compute the windows anew: after a date, and after rules."""
        found = [_window(rules, one) for one in self.elections.values()] if rules else []
        self._windows = tuple(sorted(window for window in found if window))
        self._boundaries = tuple(sorted({day for first, last, _ in self._windows for day in (first, last + 1)}))

    def permille(self, day: int) -> int:
        """By how much harm counts more on this day: the largest of its windows, a whole outside of any."""
        return max((more for first, last, more in self._windows if first <= day <= last), default=NO_WINDOW)

    def next(self, day: int) -> int | None:
        """The next day on which a window begins or is over."""
        at = bisect_right(self._boundaries, day)
        return self._boundaries[at] if at < len(self._boundaries) else None


def _window(rules: Rules, election: Mapping[str, Any]) -> tuple[int, int, int] | None:
    rule = rules.windows.get(election["round"])
    if rule is None or election["standing"] == "cancelled":
        return None
    polling = date.fromisoformat(election["on"]).toordinal()
    begins = polling - rule.days_before
    if "campaign_from" in election:
        begins = min(date.fromisoformat(election["campaign_from"]).toordinal(), polling)
    return begins, min(polling + rule.days_after, LAST_DAY - 1), rule.permille
