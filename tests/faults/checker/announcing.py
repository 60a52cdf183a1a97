"""What has to be announced of a level: its changes, and the alerts that go with them, in order, under which ids."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.faults.checker.identity import named
from tests.faults.checker.places import Places
from tests.faults.checker.weights import Rules, local_day

CORRECTING = {"retraction", "rules", "gazetteer", "engine"}
GROUPS = ("violence_and_weapons", "tension_and_rumour", "rights_and_elections", "displacement")


class Said(NamedTuple):
    """An event that has to be there: its stream, id and all of its data."""

    stream: str
    home: str
    event_id: str
    engine: int
    data: dict[str, Any]


class Override(NamedTuple):
    """What people tell of a unit, beside the lowest level that was said since they decided it."""

    level: int
    held: int
    until: str


class Now(NamedTuple):
    """Where and when something may be told, and what the level is made of then."""

    home: str
    moment: str
    contributions: list[dict[str, Any]]
    rules_hash: str


class Voice:
    """What has to be said, and what was."""

    def __init__(self) -> None:
        self.engine: int | None = None
        self.said: list[Said] = []
        self._levels: dict[str, int] = {}
        self._strangers: dict[str, int] = {}
        self._overrides: dict[str, Override] = {}
        self._counts: dict[str, int] = {}
        self._standing: dict[str, str] = {}

    def say(self, home: str, told: dict[str, Any], rules: Rules, places: Places | None) -> None:
        """A change, and the alert that goes with it."""
        unit = told["unit"]
        self._levels[unit] = told["to"]
        if (override := self._overrides.get(unit)) is not None:
            self._overrides[unit] = override._replace(held=min(override.held, told["to"]))
        self._add(f"level/{unit}", home, told)
        rose_by_watching = told["cause"] == "coverage" and told["to"] > told["from"]
        now = Now(home, told["effective_at"], told["contributions"], told["rules_hash"])
        self._alert(unit, now, rose_by_watching or told["cause"] in CORRECTING, rules, places)

    def override(self, unit: str, level: int, until: str) -> None:
        self._overrides[unit] = Override(level, self._levels.get(unit, 0), until)

    def end_override(self, unit: str) -> None:
        self._overrides.pop(unit, None)

    def overrides(self) -> dict[str, str]:
        """Until when each of those that stand does, by unit in order."""
        return {unit: self._overrides[unit].until for unit in sorted(self._overrides)}

    def decided(self, unit: str, now: Now, rules: Rules, places: Places | None, *, by_people: bool) -> None:
        """What follows from an override or its end; only what people raise is raised."""
        raised = by_people and unit in self._overrides and self._overrides[unit].level > self._strangers.get(unit, 0)
        self._alert(unit, now, not raised, rules, places)

    def _theirs(self, unit: str) -> int:
        level, override = self._levels.get(unit, 0), self._overrides.get(unit)
        if override is None or (level > override.held and level > override.level):
            return level
        return override.level

    def _alert(self, unit: str, now: Now, corrects: bool, rules: Rules, places: Places | None) -> None:
        before, after = self._strangers.get(unit, 0), self._theirs(unit)
        self._strangers[unit] = after
        ends = after < rules["alerts"]["from_level"]
        if before == after or unit.startswith("outside:") or (ends and unit not in self._standing):
            return
        groups = {rules["kinds"][case["kind"]]["group"] for case in now.contributions if case["counted"]}
        data = {
            "unit": unit,
            **(places.name_and_codes(unit) if places else {"unit_name": unit, "codes": []}),
            "from": before,
            "to": after,
            "on": local_day(now.moment, rules["time_zone"]).isoformat(),
            "kinds": [group for group in GROUPS if group in groups],
            "rules_hash": now.rules_hash,
            "change": ("cancelled" if ends else "corrected")
            if corrects
            else ("raised" if after > before else "lowered"),
        }
        if unit in self._standing:
            data["cancels" if corrects and ends else "updates"] = self._standing[unit]
        event_id = self._add(f"alert/{unit}", now.home, data)
        if ends:
            self._standing.pop(unit, None)
        else:
            self._standing[unit] = event_id

    def last(self, unit: str) -> int:
        return self._levels.get(unit, 0)

    def _add(self, stream: str, home: str, data: dict[str, Any]) -> str:
        assert self.engine is not None
        self._counts[stream] = self._counts.get(stream, 0) + 1
        event_id = named(f"{stream}/{self._counts[stream]}")
        self.said.append(Said(stream, home, event_id, self.engine, data))
        return event_id
