"""The gazetteer: every unit of a country under every division, and the answers that folds and decisions ask for.

Which division is in force is told by the event that adopted the gazetteer, never by a clock. Every question may be
asked about another division, by its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from events.envelope import canonical
from events.places import home_checks, row_checks, tree_checks
from events.places.content import pack, unpack
from events.places.facts import LADDER, WITHIN_COMMUNE, Division, Facts, Unit, UnitKind
from events.places.faults import (
    NO_JSON_OF_OURS,
    Fault,
    GazetteerFaulty,
    Keeping,
    Kept,
    NoSuchDivision,
    NoSuchUnit,
    misread,
)
from events.places.homes import commune_over, compute_homes, parents_of
from events.places.succession import Steps, in_permille


@dataclass(frozen=True, slots=True)
class Share:
    """A part of an older commune, in permille, that went to this unit."""

    unit_id: str
    permille: int


def find_faults(facts: Facts, keeping: Keeping | None = None) -> tuple[Fault, ...]:
    """Return what is wrong with the facts, also as successor of the units to keep; empty when they can be used.

    Three passes, each trusting the one before, so a faulty row is told once and not by all that follows from it.
    """
    for check in (row_checks.check, tree_checks.check):
        if found := tuple(check(facts)):
            return found
    return tuple(home_checks.check(facts, keeping or {}))


@dataclass(frozen=True, eq=False, repr=False)
class Gazetteer:
    """A sound gazetteer; making one of faulty facts raises GazetteerFaulty with every fault of the first failing pass.

    `keeping` are the units of the gazetteer that it follows (see `adopt`). Two of the same content are equal.
    """

    facts: Facts
    keeping: InitVar[Keeping | None] = None
    _homes: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self, keeping: Keeping | None) -> None:
        if faults := find_faults(self.facts, keeping):
            raise GazetteerFaulty(faults)
        ordered = self.facts.in_order()
        homes = compute_homes(ordered)
        communes = {homes.of[unit.unit_id] for unit in ordered.units if unit.kind is UnitKind.COMMUNE}
        object.__setattr__(
            self,
            "facts",
            ordered.model_copy(
                update={
                    "homes": tuple(sorted(communes)),
                    "division_in_force": ordered.division_in_force or ordered.divisions[-1].division,
                }
            ),
        )
        object.__setattr__(self, "_homes", MappingProxyType(homes.of))

    # --- itself -------------------------------------------------------------------------------------------------

    def content(self) -> dict[str, Any]:
        """Everything it states, as JSON types, for the event that adopts it; the same facts give the same bytes."""
        return pack(self.facts)

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Gazetteer:
        """Read back what `content` wrote; raises GazetteerFaulty."""
        try:
            canonical(content)
        except (TypeError, RecursionError):
            raise GazetteerFaulty([NO_JSON_OF_OURS]) from None
        try:
            facts = Facts.model_validate(unpack(content))
        except ValidationError as error:
            raise GazetteerFaulty(misread(error)) from None
        return cls(facts)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the canonical content, in hex."""
        return sha256(canonical(self.content())).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gazetteer) and self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __repr__(self) -> str:
        return f"<Gazetteer {self.facts.gazetteer_id} edition {self.facts.edition} {self.content_hash[:12]}>"

    def adopt(self, following: Gazetteer) -> Gazetteer:
        """Return the gazetteer that may follow this one, its homes named as they are here.

        Raises GazetteerFaulty where a unit would vanish, change its kind or its home, or two homes would join.
        """
        kept = following.facts.model_copy(update={"homes": self.facts.homes})
        return Gazetteer(kept, keeping=self.to_keep)

    @cached_property
    def to_keep(self) -> Keeping:
        """What the next gazetteer must keep of each unit."""
        return {unit_id: Kept(unit.kind, self._homes[unit_id]) for unit_id, unit in self.units.items()}

    # --- units and divisions ------------------------------------------------------------------------------------

    @cached_property
    def units(self) -> Mapping[str, Unit]:
        """Every unit that was ever in force, by its id."""
        return MappingProxyType({unit.unit_id: unit for unit in self.facts.units})

    def unit(self, unit_id: str) -> Unit:
        """Return a unit; raises NoSuchUnit."""
        if unit_id not in self.units:
            raise NoSuchUnit(self.facts.gazetteer_id)
        return self.units[unit_id]

    @property
    def divisions(self) -> tuple[Division, ...]:
        """Oldest first."""
        return self.facts.divisions

    @property
    def division(self) -> str:
        """The key of the division in force: what every question is asked about unless it names another."""
        assert self.facts.division_in_force is not None
        return self.facts.division_in_force

    def with_division_in_force(self, division: str) -> Gazetteer:
        """Return the same gazetteer with this division in force: what is adopted on the day of a reform."""
        self.place(division)
        return Gazetteer(self.facts.model_copy(update={"division_in_force": division}))

    def place(self, division: str | None) -> int:
        """Return the number of a division, the oldest being 0; raises NoSuchDivision."""
        if division is None:
            division = self.division
        if division not in self._order:
            raise NoSuchDivision(self.facts.gazetteer_id, self._order)
        return self._order[division]

    def division_on(self, day: date) -> str:
        """Return the key of the division of a day; before the first one's date it is the first."""
        came = [row for row in self.divisions if row.valid_from is None or row.valid_from <= day]
        return (came or self.divisions[:1])[-1].division

    def is_in_force(self, unit_id: str, division: str | None = None) -> bool:
        """Say whether a unit belongs to a division; the country, the outside and `unplaced` belong to all."""
        return self._parentless(unit_id) or unit_id in self._up(division)

    def in_force(self, division: str | None = None, kind: UnitKind | None = None) -> tuple[Unit, ...]:
        """Return the units of a division, of one kind where asked, in order of their ids."""
        return tuple(
            unit
            for unit in self.facts.units
            if (kind is None or unit.kind is kind) and self.is_in_force(unit.unit_id, division)
        )

    def divisions_of(self, unit_id: str) -> tuple[str, ...]:
        """Return the keys of the divisions a unit is in force in, oldest first."""
        return tuple(row.division for row in self.divisions if self.is_in_force(unit_id, row.division))

    def ancestors(self, unit_id: str, division: str | None = None) -> tuple[str, ...]:
        """Return the units that hold a unit in a division, nearest first; empty where it is not in force."""
        up = self._up(division)
        above: list[str] = []
        while (parent := up.get(above[-1] if above else unit_id)) is not None:
            above.append(parent)
        return tuple(above)

    def lies_in(self, unit_id: str, area_id: str, division: str | None = None) -> bool:
        """Say whether a unit is an area or lies in it, as a division has it; a unit out of force counts as its row."""
        here = unit_id if self.is_in_force(unit_id, division) else self.row_at(unit_id, division)
        return area_id in (unit_id, here, *self.ancestors(here, division))

    # --- homes --------------------------------------------------------------------------------------------------

    def home_of(self, unit_id: str) -> str:
        """Return the home of a unit: the Kafka key of everything about it, for ever."""
        return self._homes[self.unit(unit_id).unit_id]

    @cached_property
    def homes(self) -> Mapping[str, tuple[str, ...]]:
        """The homes that hold communes, each with its communes of all divisions in order of their ids."""
        found: dict[str, tuple[str, ...]] = {}
        for unit in self.facts.units:
            if unit.kind is UnitKind.COMMUNE:
                home = self._homes[unit.unit_id]
                found[home] = (*found.get(home, ()), unit.unit_id)
        return MappingProxyType(found)

    # --- one division and another -------------------------------------------------------------------------------

    def successors(self, commune_id: str, division: str | None = None) -> tuple[Share, ...]:
        """Return where a commune went by a later division, largest share first; itself while it is in force.

        Shares are whole permille that sum to 1000. Empty for anything but a commune, and for one that came later.
        """
        until, since = self.place(division), self._since(commune_id)
        if self.unit(commune_id).kind is not UnitKind.COMMUNE or since > until:
            return ()
        start = max(index for index in self._placed(commune_id) if index <= until)
        shares = in_permille(self._steps.onward(commune_id, start, until))
        return tuple(Share(unit_id, shares[unit_id]) for unit_id in sorted(shares, key=lambda u: (-shares[u], u)))

    def predecessors(self, commune_id: str, division: str | None = None) -> tuple[str, ...]:
        """Return the communes of an older division that a commune was made of, in order of their ids."""
        until, since = self.place(division), self._since(commune_id)
        if self.unit(commune_id).kind is not UnitKind.COMMUNE or since <= until:
            return (commune_id,) if self.is_in_force(commune_id, division) else ()
        return tuple(sorted(self._steps.back(commune_id, since, until)))

    def commune_at(self, unit_id: str, division: str | None = None) -> str | None:
        """Return the commune that a commune, zone or hill belongs to in a division.

        A unit that is older goes, at every step, with the largest share (the first id among equals), until somebody
        places it better. A unit that is newer lay where the table of earlier communes says, else in the one commune
        that its commune was made of; None where that cannot be said, and for units above communes.
        """
        if self.unit(unit_id).kind not in WITHIN_COMMUNE:
            return None
        target = self.place(division)
        at = [index for index in self._placed(unit_id) if index <= target]
        if at:
            return self._steps.likeliest(self._commune(unit_id, at[-1]), at[-1], target)
        since = self._since(unit_id)
        for index in range(target, since):
            if (lay_in := self._earlier.get((self.divisions[index].division, unit_id))) is not None:
                return _only(self._steps.back(lay_in, index, target))
        return _only(self._steps.back(self._commune(unit_id, since), since, target))

    def row_at(self, unit_id: str, division: str | None = None) -> str:
        """Return the unit under which a fold counts a unit while a division is in force; never fails, for folds.

        It is the commune of `commune_at`; where that cannot be said, the unit's own commune. Units above communes, and
        ids that this gazetteer does not know, have rows of their own. It always lies in the unit's home.
        """
        if division is None or division == self.division:
            return self._rows_in_force.get(unit_id, unit_id)
        return self._row(unit_id, division) if unit_id in self.units else unit_id

    @cached_property
    def _rows_in_force(self) -> Mapping[str, str]:
        """Computed once: a fold asks at every event."""
        return {unit_id: self._row(unit_id, self.division) for unit_id in self.units}

    def _row(self, unit_id: str, division: str) -> str:
        if self.units[unit_id].kind not in WITHIN_COMMUNE:
            return unit_id
        return self.commune_at(unit_id, division) or self._commune(unit_id, self._since(unit_id))

    # --- what these answers are read from -----------------------------------------------------------------------

    @cached_property
    def _parents(self) -> Mapping[str, Mapping[str, str]]:
        return parents_of(self.facts)

    @cached_property
    def _kinds(self) -> Mapping[str, UnitKind]:
        return {unit.unit_id: unit.kind for unit in self.facts.units}

    @cached_property
    def _order(self) -> Mapping[str, int]:
        return {row.division: index for index, row in enumerate(self.divisions)}

    @cached_property
    def _steps(self) -> Steps:
        return home_checks.steps_of(self.facts)

    @cached_property
    def _earlier(self) -> Mapping[tuple[str, str], str]:
        return {(row.division, row.unit_id): row.commune_id for row in self.facts.earlier}

    def _up(self, division: str | None) -> Mapping[str, str]:
        return self._parents[self.divisions[self.place(division)].division]

    def _placed(self, unit_id: str) -> tuple[int, ...]:
        return tuple(self._order[division] for division in self.divisions_of(unit_id))

    def _since(self, unit_id: str) -> int:
        return self._placed(self.unit(unit_id).unit_id)[0]

    def _commune(self, unit_id: str, index: int) -> str:
        commune = commune_over(unit_id, self._kinds, self._parents[self.divisions[index].division])
        assert commune is not None, f"{unit_id} lies in no commune"
        return commune

    def _parentless(self, unit_id: str) -> bool:
        kind = self.unit(unit_id).kind
        return kind not in LADDER or kind is UnitKind.COUNTRY


def _only(communes: frozenset[str]) -> str | None:
    return next(iter(communes)) if len(communes) == 1 else None
