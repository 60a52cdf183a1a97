"""How well a place is watched, by the words at the head of projections/watching and none of its code.

For each row stand the signs that count there; on a day, a sign counts for so many days after it and no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

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
                self.homes.update(dict.fromkeys(units, event.home))
                reporter = _Reporter(units, data["channel"], data["cadence_days"], today, today)
                self._reporters[event.stream] = reporter
            case "reporter.stood_down":
                self._reporters.pop(event.stream, None)
            case "reporter.checked_in":
                if (known := self._reporters.get(event.stream)) is not None:
                    on = min(today, date.fromisoformat(data["on"]))
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

    def confidence(
        self, row: str, rules: Mapping[str, Any], day: date, row_of: Callable[[str], str]
    ) -> tuple[str, str]:
        """How well a row is watched on a day, and why."""
        numbers = rules.get("coverage")
        if numbers is None or not any(row_of(place) == row for place in self.homes):
            return UNKNOWN

        def counts(sign: date, cadence: int) -> bool:
            return day <= sign + timedelta(days=numbers["missed"] * cadence + numbers["told_within_days"])

        here = [one for one in self._reporters.values() if row in map(row_of, one.units)]
        living = [one for one in here if counts(one.seen, one.cadence)]
        channels: dict[str, int] = {}
        for one in here:
            channels[one.channel] = min(one.cadence, channels.get(one.channel, one.cadence))
        working = {one.channel for one in here if counts(one.heard_over_it, one.cadence)}
        for (place, channel), on in self._reports.items():
            if channel in channels and row_of(place) == row and counts(on, channels[channel]):
                working.add(channel)
        if not living and not working:
            return BLIND
        share = 1000 * len(living) // len(here)
        if share < numbers["medium_from"]:
            return ("low", "few_reporters")
        if channels.keys() - working:
            return ("medium", "channel_lost")
        return ("high", "coverage_full") if share >= numbers["high_from"] else ("medium", "coverage_partial")
