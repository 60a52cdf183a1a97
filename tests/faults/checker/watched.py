"""How well a place is watched, by the words at the head of projections/watching and none of its code.

For each row stand the signs that count there; on a day, a sign counts for so many days after it and no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

Rules = Mapping[str, Any]
RowOf = Callable[[str], str]
NOWHERE = "unplaced"
BLIND = ("blind", "coverage_lost")
UNKNOWN = ("low", "coverage_unknown")
TOLD = {"self", "coordinator", "operator"}


class Told(Protocol):
    """What is read of an event."""

    @property
    def type(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def home(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass
class _Reporter:
    units: list[str]
    channel: str
    cadence: int
    seen: date
    heard_over_it: date
    spoke: bool
    opened: set[str]


class Watched:
    """Assignments, check-ins and reports so far."""

    def __init__(self) -> None:
        self.homes: dict[str, str] = {}  # of every place that somebody was ever assigned to
        self._reporters: dict[str, _Reporter] = {}
        self._reports: dict[tuple[str, str], date] = {}

    def take(self, event: Told, today: date, day_of: Callable[[str], date]) -> bool:
        """Whether the event says anything of who watches."""
        data = event.data
        match event.type:
            case "reporter.coverage_assigned":
                units = [unit for unit in data["units"] if unit != NOWHERE]
                was = self._reporters.get(event.stream)
                put_right = was.opened if was is not None and not was.spoke and was.seen == today else set()
                opened = {one for one in units if one not in self.homes or one in put_right}
                self.homes.update(dict.fromkeys(units, event.home))
                reporter = _Reporter(units, data["channel"], data["cadence_days"], today, today, False, opened)
                self._reporters[event.stream] = reporter
            case "reporter.stood_down":
                self._reporters.pop(event.stream, None)
            case "reporter.checked_in":
                if (known := self._reporters.get(event.stream)) is not None:
                    on = min(today, date.fromisoformat(data["on"]))
                    known.spoke = known.spoke or known.seen <= on
                    known.seen = max(known.seen, on)
                    if known.channel == data["channel"]:
                        known.heard_over_it = max(known.heard_over_it, on)
            case "report.received":
                place = (data["place"]["unit"], data["channel"])
                if data["recorded_by"] in TOLD and place[0] != NOWHERE:
                    on = min(today, day_of(data["received_at"]))
                    self._reports[place] = max(on, self._reports.get(place, on))
            case _:
                return False
        return True

    def confidence(self, row: str, rules: Rules, day: date, row_of: RowOf) -> tuple[str, str]:
        """How well a row is watched on a day, and why."""
        numbers = rules.get("coverage")
        if numbers is None or not any(row_of(place) == row for place in self.homes):
            return UNKNOWN

        counts = _counting(numbers, day)
        here = [one for one in self._reporters.values() if row in map(row_of, one.units)]
        waited_for = [one for one in here if not one.spoke and counts(one.seen, one.cadence)]
        known = [one for one in here if one not in waited_for]
        living = [one for one in known if counts(one.seen, one.cadence)]
        lost = self._lost_channels(row, here, row_of, counts)
        if not living and all(lost.values()):
            places = {place for place in self.homes if row_of(place) == row}
            begun = not lost and places <= {place for one in waited_for for place in one.opened}
            return UNKNOWN if begun else BLIND
        share = 1000 * len(living) // len(known) if known else 0
        if share < numbers["medium_from"]:
            return ("low", "few_reporters")
        if any(lost.values()):
            return ("medium", "channel_lost")
        return ("high", "coverage_full") if share >= numbers["high_from"] else ("medium", "coverage_partial")

    def channels(self, row: str, rules: Rules, day: date, row_of: RowOf) -> dict[str, bool]:
        """The channels of a row, and whether each is lost on a day."""
        here = [one for one in self._reporters.values() if row in map(row_of, one.units)]
        return self._lost_channels(row, here, row_of, _counting(rules["coverage"], day))

    def _lost_channels(
        self, row: str, here: list[_Reporter], row_of: RowOf, counts: Callable[[date, int], bool]
    ) -> dict[str, bool]:
        shortest: dict[str, int] = {}
        for one in here:
            shortest[one.channel] = min(one.cadence, shortest.get(one.channel, one.cadence))
        known = [one for one in here if one.spoke or not counts(one.seen, one.cadence)]
        working = {one.channel for one in known if counts(one.heard_over_it, one.cadence)}
        for (place, channel), on in self._reports.items():
            if channel in shortest and row_of(place) == row and counts(on, shortest[channel]):
                working.add(channel)
        return {channel: channel not in working for channel in working | {one.channel for one in known}}


def _counting(numbers: Mapping[str, Any], day: date) -> Callable[[date, int], bool]:
    """Whether a sign still counts on a day, by the cadence that it belongs to."""
    missed, told_within = numbers["missed"], numbers["told_within_days"]
    return lambda sign, cadence: day <= sign + timedelta(days=missed * cadence + told_within)
