"""What broadcasts told: how long silence is borne, where days begin, what is where, and which engine speaks."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import orjson

from events.places.gazetteer import Gazetteer
from events.reference import EngineAdopted, GazetteerAdopted, RulesAdopted
from projections.local_days import LocalDays
from projections.taken import Taken
from projections.watching import Patience

NAME = "coverage"
VERSION = 1
"""The newest engine in this program; an engine that once spoke stays."""


class Told:
    """`engine` is None until one is adopted; `patience` is None where the rules say nothing of coverage."""

    __slots__ = ("days", "engine", "patience", "rows", "time_zone")

    def __init__(self, saved: Mapping[str, Any] | None = None) -> None:
        saved = saved or {}
        self.engine: int | None = saved.get("engine")
        self.rows: Mapping[str, str] = saved.get("rows", {})
        self._rule(saved.get("time_zone"), saved.get("patience"))

    def _rule(self, time_zone: str | None, patience: Any) -> None:
        self.time_zone = time_zone
        self.days = LocalDays(time_zone) if time_zone else None
        self.patience = Patience(*patience) if patience else None

    def saved(self) -> dict[str, Any]:
        patience = list(self.patience) if self.patience else None
        return {"engine": self.engine, "rows": self.rows, "time_zone": self.time_zone, "patience": patience}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Told) and self.saved() == other.saved()

    __hash__ = None  # type: ignore[assignment]

    def take(self, event: Taken) -> bool:
        """Take a broadcast; whether it told anything. Raises ValueError on what this program cannot follow."""
        if event.type == RulesAdopted.name:
            self._rule(*read_rules(event.data["content"]))
        elif event.type == GazetteerAdopted.name:
            self.rows = _rows(orjson.dumps(event.data["content"]))
        elif event.type == EngineAdopted.name and event.data["projection"] == NAME:
            number = event.data["number"]
            if number > VERSION:
                raise ValueError(f"engine {number} of {NAME} speaks, this program knows up to {VERSION}: update it")
            self.engine = number
        else:
            return False
        return True

    def row(self, place: str) -> str:
        """The unit for which a place is watched."""
        return self.rows.get(place, place)

    def day(self, time: str) -> int:
        """The day of a moment on the wire, as an ordinal: local by the rules in force, that of UTC before any."""
        return self.days.day(time) if self.days else date.fromisoformat(time[:10]).toordinal()


def read_rules(content: str) -> tuple[str, Patience | None]:
    """The time zone of a rule set's text, and its patience, None where it says nothing of coverage.

    Only these are read: a rule set of long ago need not be one that today's rules would let in, and what else the table
    says is for others.
    """
    tables: dict[str, Any] = tomllib.loads(content)
    numbers = tables.get("coverage")
    patience = None if numbers is None else Patience(*(numbers[name] for name in Patience._fields))
    return tables.get("time_zone", "UTC"), patience


@lru_cache(maxsize=1)
def _rows(content: bytes) -> Mapping[str, str]:
    """Every partition is told the same gazetteer; checking and reading Burundi's takes 57 ms."""
    gazetteer = Gazetteer.from_content(orjson.loads(content))
    rows = ((unit_id, gazetteer.row_at(unit_id)) for unit_id in gazetteer.units)
    return {unit_id: row for unit_id, row in rows if unit_id != row}
