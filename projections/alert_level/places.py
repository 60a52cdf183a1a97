"""What the level asks of a gazetteer: in which unit a place counts, and what strangers call it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from events.alert import Code
from events.places.facts import UNPLACED_ID, Unit
from events.places.gazetteer import Gazetteer

SCHEMES = ("pcode", "national_code", "iso_3166")
"""Under which strangers know a unit, where it has one of these."""

OUTSIDE = "outside:"
UNPLACED = UNPLACED_ID


class Places:
    """Answers of one gazetteer, small enough to be kept as JSON. Without one every unit stands for itself."""

    __slots__ = ("known", "rows")

    def __init__(self, rows: Mapping[str, str], known: Mapping[str, list[str]]) -> None:
        self.rows = rows
        self.known = known

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Places:
        """From the content of an adopted gazetteer; raises GazetteerFaulty."""
        return _read(orjson.dumps(content))

    @classmethod
    def read(cls, saved: Mapping[str, Any] | None) -> Places:
        return cls(saved["rows"], saved["known"]) if saved else cls({}, {})

    def saved(self) -> dict[str, Any]:
        return {"rows": self.rows, "known": self.known}

    def row(self, unit_id: str) -> str:
        """The unit under which a place counts."""
        return self.rows.get(unit_id, unit_id)

    def name(self, unit_id: str) -> str:
        return self.known[unit_id][0] if unit_id in self.known else unit_id

    def codes(self, unit_id: str) -> tuple[Code, ...]:
        told = self.known.get(unit_id, ("", "", "", ""))
        schemes = zip(SCHEMES, told[1:], strict=True)
        return tuple(Code(scheme=scheme, code=code) for scheme, code in schemes if code)


def _told(unit: Unit) -> list[str]:
    return [unit.name, *(getattr(unit, scheme) or "" for scheme in SCHEMES)]


@lru_cache(maxsize=1)
def _read(content: bytes) -> Places:
    """Every partition is told the same gazetteer; checking and reading Burundi's takes 57 ms."""
    gazetteer = Gazetteer.from_content(orjson.loads(content))
    rows = {unit_id: gazetteer.row_at(unit_id) for unit_id in gazetteer.units}
    # All of them: a unit that has no row now may have had one under another gazetteer, or before any.
    known = {unit.unit_id: _told(unit) for unit in gazetteer.units.values()}
    return Places({unit_id: row for unit_id, row in rows.items() if unit_id != row}, known)
