"""The country as the API asks about it: which units a token reaches, what a unit is called, what a name means."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from events.alert import Code
from events.places.facts import Unit, UnitKind
from events.places.gazetteer import Gazetteer
from events.places.lookup import Directory
from services.area import Area
from services.bulletins.shapes import Boundaries, Json, geometry

MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Sight:
    """Which rows somebody may see: those of `units` (None is all), or, for a recipient, its own referrals.

    `homes` are those of the units: a timeline's rows are told apart by home.
    """

    units: frozenset[str] | None = None
    recipient: str | None = None
    homes: frozenset[str] = frozenset()

    def of(self, wanted: frozenset[str] | None) -> list[str] | None:
        """Of the units that are wanted (None is all) those that it reaches, as a query takes them."""
        if wanted is None:
            return None if self.units is None else sorted(self.units)
        return sorted(wanted if self.units is None else wanted & self.units)


ALL = Sight()
NOTHING = Sight(frozenset())


@dataclass(frozen=True, eq=False)
class Country:
    """One gazetteer, its answers remembered; another one is another country."""

    gazetteer: Gazetteer
    _seen: OrderedDict[frozenset[str], Sight] = field(default_factory=OrderedDict)
    _places: dict[int, tuple[Boundaries, Mapping[str, Json]]] = field(default_factory=dict)

    @cached_property
    def directory(self) -> Directory:
        return Directory(self.gazetteer)

    @cached_property
    def communes(self) -> tuple[str, ...]:
        """The communes of the division in force, in order of their ids."""
        return tuple(unit.unit_id for unit in self.gazetteer.in_force(kind=UnitKind.COMMUNE))

    def reach(self, area: Area) -> Sight:
        """What an area means now: its units with all that lies in them."""
        if area.units is None:
            return ALL
        if (sight := self._seen.get(area.units)) is None:
            known = {unit for unit in self.gazetteer.units if area.covers(self.gazetteer, unit)}
            homes = frozenset(self.gazetteer.home_of(unit) for unit in known)
            sight = self._seen[area.units] = Sight(area.units | known, homes=homes)
            while len(self._seen) > MOST_REMEMBERED:
                self._seen.popitem(last=False)
        return sight

    def within(self, units: frozenset[str]) -> frozenset[str]:
        """Units with all that lies in them; raises NoSuchUnit."""
        for unit in units:
            self.gazetteer.unit(unit)
        found = self.reach(Area(units)).units
        assert found is not None
        return found

    def placed(self, boundaries: Boundaries) -> Mapping[str, Json]:
        """Where units are, as far as somebody said."""
        known = self._places.get(id(boundaries))
        if known is None:
            shapes = {
                unit: shape
                for unit, row in self.gazetteer.units.items()
                if (shape := geometry(row, boundaries, map(Code.model_validate, codes(row)))) is not None
            }
            known = self._places[id(boundaries)] = boundaries, shapes
        return known[1]

    def name(self, unit: str) -> str | None:
        """What a unit is called; None for one that this gazetteer does not have."""
        return self.gazetteer.units[unit].name if unit in self.gazetteer.units else None

    def named(self, unit: str) -> dict[str, Any]:
        """A unit as every answer shows it: by its permanent id, with its name."""
        return {"unit": unit, "unit_name": self.name(unit)}

    def coded(self, unit: str) -> dict[str, Any]:
        """The same with the codes that other people use, as an alert shows them."""
        return self._coded.get(unit) or {"unit": unit, "unit_name": None, "codes": []}

    @cached_property
    def _coded(self) -> Mapping[str, dict[str, Any]]:
        return {unit: {**self.named(unit), "codes": codes(row)} for unit, row in self.gazetteer.units.items()}


def codes(unit: Unit) -> list[dict[str, str]]:
    """A unit's codes in the schemes that have one for it."""
    schemes = (("pcode", unit.pcode), ("national_code", unit.national_code), ("iso_3166", unit.iso_3166))
    return [{"scheme": scheme, "code": code} for scheme, code in schemes if code is not None]
