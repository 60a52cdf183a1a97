"""What broadcasts have told the level: rules, places, elections, and which engine speaks."""

from __future__ import annotations

from datetime import date
from typing import Any

from projections.alert_level.elections import Calendar
from projections.alert_level.places import Places
from projections.alert_level.rules import Rules

NAME = "alert_level"
RULES, GAZETTEER = "reference.rules_adopted", "reference.gazetteer_adopted"
ELECTION, ENGINE = "reference.election_dated", "reference.engine_adopted"


class Shared:
    """In force at a position. `engine` is the number of the engine that speaks, 0 before the first adoption."""

    __slots__ = ("_next", "_windows", "calendar", "engine", "places", "rules")

    def __init__(self, saved: dict[str, Any] | None = None) -> None:
        saved = saved or {}
        self.rules = Rules(saved["rules"]) if saved.get("rules") is not None else None
        self.places = Places.read(saved.get("places"))
        self.calendar = Calendar(saved.get("elections"))
        self.engine: int = saved.get("engine", 0)
        self._measured()

    def saved(self) -> dict[str, Any]:
        return {
            "rules": self.rules.text if self.rules else None,
            "places": self.places.saved(),
            "elections": self.calendar.elections,
            "engine": self.engine,
        }

    def take(self, type_: str, data: dict[str, Any]) -> bool:
        """Take a broadcast; False where it is no business of the level."""
        if type_ == RULES:
            self.rules = Rules(data["content"])
        elif type_ == GAZETTEER:
            self.places = Places.of(data["content"])
        elif type_ == ELECTION:
            self.calendar.date(data)
        elif type_ == ENGINE and data["projection"] == NAME:
            self.engine = data["number"]
        else:
            return False
        self._measured()
        return True

    def _measured(self) -> None:
        self.calendar.measure(self.rules)
        self._windows: dict[int, int] = {}
        self._next: dict[int, int | None] = {}

    def day(self, time: str) -> int:
        """The day of a moment on the wire, as an ordinal: local by the rules in force, that of UTC before any."""
        return self.rules.day(time) if self.rules else date.fromisoformat(time[:10]).toordinal()

    def window(self, day: int) -> int:
        """By how much harm counts more on a day."""
        permille = self._windows.get(day)
        if permille is None:
            permille = self._windows[day] = self.calendar.permille(day)
        return permille

    def next_boundary(self, day: int) -> int | None:
        """The next day on which that may be another."""
        if day not in self._next:
            self._next[day] = self.calendar.next(day)
        return self._next[day]
