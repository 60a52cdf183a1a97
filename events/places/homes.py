"""Homes: groups of communes that any division ever joined. The home is the Kafka key, so it must never change.

A home is named after one of its communes: the first by id in the oldest division it has a commune in. Once it is a key
of recorded events that name is kept, whatever later gazetteers add.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from events.places.facts import WITHIN_COMMUNE, Facts, UnitKind

Parents = Mapping[str, Mapping[str, str]]
"""For each division, the parent of each unit in force in it."""


@dataclass(frozen=True, slots=True)
class Join:
    """A succession (its row's index) that would join two homes that recorded events already keep apart."""

    row: int
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Homes:
    """The home of every unit, and what stands in the way: joins of kept homes, units that lie in two homes."""

    of: Mapping[str, str]
    joins: tuple[Join, ...]
    in_two: Mapping[str, tuple[str, ...]]


def compute_homes(facts: Facts) -> Homes:
    """Return the connected groups of communes over all divisions, named; `facts.homes` are kept as they are."""
    kinds = {unit.unit_id: unit.kind for unit in facts.units}
    parents = parents_of(facts)
    groups = _Groups({unit_id for unit_id, kind in kinds.items() if kind is UnitKind.COMMUNE}, set(facts.homes))
    joins = tuple(
        Join(row, *sorted(kept))
        for row, succession in enumerate(facts.successions)
        if (kept := groups.join(succession.from_id, succession.to_id)) is not None
    )
    named = groups.named([parents[division.division] for division in facts.divisions])
    of: dict[str, str] = {}
    in_two: dict[str, tuple[str, ...]] = {}
    for unit_id, kind in kinds.items():
        if kind is UnitKind.COMMUNE:
            of[unit_id] = named[unit_id]
        elif kind in WITHIN_COMMUNE:
            found = sorted({named[commune] for commune in _communes_over_it(unit_id, kinds, parents)})
            of[unit_id] = found[0]
            if len(found) > 1:
                in_two[unit_id] = tuple(found)
        else:
            of[unit_id] = unit_id
    return Homes(of, joins, in_two)


def parents_of(facts: Facts) -> Parents:
    """Return the parent rows as one mapping a division."""
    parents: dict[str, dict[str, str]] = {division.division: {} for division in facts.divisions}
    for row in facts.parents:
        parents[row.division][row.unit_id] = row.parent_id
    return parents


def commune_over(unit_id: str, kinds: Mapping[str, UnitKind], parents: Mapping[str, str]) -> str | None:
    """Climb one division's parents to the commune that holds a unit; None above communes or out of force."""
    here: str | None = unit_id
    while here is not None and kinds[here] in WITHIN_COMMUNE:
        if kinds[here] is UnitKind.COMMUNE:
            return here if here in parents else None
        here = parents.get(here)
    return None


def _communes_over_it(unit_id: str, kinds: Mapping[str, UnitKind], parents: Parents) -> set[str]:
    over = (commune_over(unit_id, kinds, of_division) for of_division in parents.values())
    return {commune for commune in over if commune is not None}


class _Groups:
    """Union-find over communes; a root remembers the kept home in its group."""

    def __init__(self, communes: set[str], kept: set[str]) -> None:
        self._root = {commune: commune for commune in communes}
        self._kept = {commune: commune for commune in communes & kept}

    def join(self, one: str, other: str) -> set[str] | None:
        """Join two groups; where both are kept homes, leave them apart and return the two names."""
        a, b = sorted((self._find(one), self._find(other)))
        if a == b:
            return None
        kept = {self._kept[root] for root in (a, b) if root in self._kept}
        if len(kept) > 1:
            return kept
        self._root[b] = a
        for name in kept:
            self._kept[a] = name
        return None

    def named(self, in_force: list[Mapping[str, str]]) -> dict[str, str]:
        """Return each commune's home: the kept name of its group, else its first commune of the oldest division."""
        members: dict[str, list[str]] = {}
        for commune in sorted(self._root):
            members.setdefault(self._find(commune), []).append(commune)
        return {
            commune: self._kept.get(root) or _first(group, in_force)
            for root, group in members.items()
            for commune in group
        }

    def _find(self, commune: str) -> str:
        while self._root[commune] != commune:
            self._root[commune] = self._root[self._root[commune]]
            commune = self._root[commune]
        return commune


def _first(group: list[str], in_force: list[Mapping[str, str]]) -> str:
    for of_division in in_force:
        for commune in group:
            if commune in of_division:
                return commune
    return group[0]
