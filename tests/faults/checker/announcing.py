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


class Voice:
    """What has to be said, and what was."""

    def __init__(self) -> None:
        self.engine: int | None = None
        self.said: list[Said] = []
        self._levels: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._standing: dict[str, str] = {}

    def say(self, home: str, told: dict[str, Any], rules: Rules, places: Places | None) -> None:
        """A change, and the alert that goes with it."""
        unit, now = told["unit"], told["to"]
        self._levels[unit] = now
        self._add(f"level/{unit}", home, told)
        from_level = rules["alerts"]["from_level"]
        if unit.startswith("outside:") or (now < from_level and unit not in self._standing):
            return
        groups = {rules["kinds"][case["kind"]]["group"] for case in told["contributions"] if case["counted"]}
        rose_by_watching = told["cause"] == "coverage" and now > told["from"]
        corrects, ends = rose_by_watching or told["cause"] in CORRECTING, now < from_level
        data = {
            "unit": unit,
            **(places.name_and_codes(unit) if places else {"unit_name": unit, "codes": []}),
            "from": told["from"],
            "to": now,
            "on": local_day(told["effective_at"], rules["time_zone"]).isoformat(),
            "kinds": [group for group in GROUPS if group in groups],
            "rules_hash": told["rules_hash"],
            "change": ("cancelled" if ends else "corrected")
            if corrects
            else ("raised" if now > told["from"] else "lowered"),
        }
        if unit in self._standing:
            data["cancels" if corrects and ends else "updates"] = self._standing[unit]
        event_id = self._add(f"alert/{unit}", home, data)
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
