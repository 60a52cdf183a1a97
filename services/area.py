"""Which units somebody may read, review and refer in: whole units of the gazetteer, with all that lies in them."""

from __future__ import annotations

from dataclasses import dataclass

from events.places.gazetteer import Gazetteer
from events.refusals import NotNow


class OutsideArea(NotNow):
    """This lies in no unit that the sender's rights reach."""

    sentence = "this lies outside the units that your token speaks for: ask somebody whose area it is"


@dataclass(frozen=True, slots=True)
class Area:
    """Units by their ids, read through the gazetteer in force; None is everywhere, also what nobody could place."""

    units: frozenset[str] | None

    def covers(self, gazetteer: Gazetteer, unit: str) -> bool:
        """Whether a unit is one of these or lies in one of them."""
        if self.units is None or unit in self.units:
            return True
        if unit not in gazetteer.units:
            return False
        # A commune that is still to come, and of which nobody can say where it lies yet, lies where it will.
        known = gazetteer.is_in_force(gazetteer.row_at(unit))
        division = None if known else gazetteer.divisions_of(unit)[0]
        return any(gazetteer.lies_in(unit, one, division) for one in self.units)

    def refuse_outside(self, gazetteer: Gazetteer, unit: str | None) -> None:
        """Raises OutsideArea; None is nowhere yet, about which the decision itself has a sentence."""
        if unit is not None and not self.covers(gazetteer, unit):
            raise OutsideArea()


EVERYWHERE = Area(None)
