"""Where a case counts: the row of its place, read from the content of a `reference.gazetteer_adopted`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

WITHIN_COMMUNE = {"commune", "zone", "hill"}
CODES = ("pcode", "national_code", "iso_3166")


def _table(content: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A table of columns and rows of cells; an empty cell is none."""
    columns = content[name]["columns"]
    return [
        {column: cell for column, cell in zip(columns, row, strict=True) if cell != ""} for row in content[name]["rows"]
    ]


class Places:
    """One gazetteer, under the division that it puts in force."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.units = {row["unit_id"]: row for row in _table(content, "units")}
        divisions = [row["division"] for row in _table(content, "divisions")]
        order = {division: number for number, division in enumerate(divisions)}
        self._target = order[content.get("division_in_force") or divisions[-1]]
        self._parents: list[dict[str, str]] = [{} for _ in divisions]
        for row in _table(content, "parents"):
            self._parents[order[row["division"]]][row["unit_id"]] = row["parent_id"]
        self._onward: list[dict[str, dict[str, Fraction]]] = [{} for _ in divisions]
        for row in _table(content, "successions"):
            share = Fraction(row["share_permille"], 1000)
            self._onward[order[row["division"]]].setdefault(row["from_id"], {})[row["to_id"]] = share
        for number in range(1, len(divisions)):
            for unit in self._parents[number - 1].keys() & self._parents[number].keys():
                if self.units[unit]["kind"] == "commune":
                    self._onward[number].setdefault(unit, {unit: Fraction(1)})
        self._lay_in = {
            (order[row["division"]], row["unit_id"]): row["commune_id"] for row in _table(content, "earlier")
        }
        self._rows: dict[str, str] = {}

    def row_at(self, unit: str) -> str:
        """The commune of a commune, a zone or a hill; every other unit, and one that is not known, is its own row."""
        if unit not in self._rows:
            known = self.units.get(unit)
            within = known is not None and known["kind"] in WITHIN_COMMUNE
            self._rows[unit] = self._commune_at(unit) if within else unit
        return self._rows[unit]

    def around(self, unit: str) -> Sequence[str]:
        """The row of a unit and all that it lies in under the division in force, nearest first."""
        row, around = self.row_at(unit), []
        here: str | None = row
        while here is not None:
            around.append(here)
            here = self._parents[self._target].get(here)
        return around

    def province_of(self, unit: str) -> str:
        """Of what lies in none it is the unit itself."""
        kinds = {one: self.units[one]["kind"] for one in self.around(unit) if one in self.units}
        return next((one for one, kind in kinds.items() if kind == "province"), unit)

    def name_and_codes(self, unit: str) -> dict[str, Any]:
        """What strangers are told of a unit."""
        known = self.units.get(unit)
        if known is None:
            return {"unit_name": unit, "codes": []}
        codes = [{"scheme": scheme, "code": known[scheme]} for scheme in CODES if scheme in known]
        return {"unit_name": known["name"], "codes": codes}

    def _commune_at(self, unit: str) -> str:
        stands = [number for number, parents in enumerate(self._parents) if unit in parents]
        if before := [number for number in stands if number <= self._target]:
            here: str | None = self._over(unit, before[-1])
            for number in range(before[-1] + 1, self._target + 1):
                shares = self._onward[number].get(here or "", {})
                here = min(shares, key=lambda there: (-shares[there], there)) if shares else None
            return here or self._over(unit, stands[0])
        for number in range(self._target, stands[0]):
            if (lay_in := self._lay_in.get((number, unit))) is not None:
                return self._only({lay_in}, number) or self._over(unit, stands[0])
        own = self._over(unit, stands[0])
        return self._only({own}, stands[0]) or own

    def _over(self, unit: str, number: int) -> str:
        while self.units[unit]["kind"] != "commune":
            unit = self._parents[number][unit]
        return unit

    def _only(self, communes: set[str], number: int) -> str | None:
        """The one commune of the division in force that these of a later one were made of."""
        for later in range(number, self._target, -1):
            communes = {one for one, shares in self._onward[later].items() if communes & shares.keys()}
        return communes.pop() if len(communes) == 1 else None


NOWHERE: Sequence[str] = ("unplaced",)
"""Rows without a level: nobody knows where to look."""
