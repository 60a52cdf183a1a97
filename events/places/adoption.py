"""What an adoption changes: which communes go where when another gazetteer, or another division, comes into force.

Whether a gazetteer may follow at all is `Gazetteer.adopt`. Nothing moves between homes: that is what homes are for.
"""

from __future__ import annotations

from dataclasses import dataclass

from events.places.facts import UnitKind
from events.places.gazetteer import Gazetteer, Share


@dataclass(frozen=True, slots=True)
class Move:
    """A commune that is no longer in force: where its ground went, and where what stands on it is counted from now on.

    What is placed no better than the commune goes with the largest share until somebody places it better; zones and
    hills may know better (`Gazetteer.row_at`). `shares` is empty where an older division comes back into force.
    """

    commune_id: str
    home: str
    counted_in: str
    shares: tuple[Share, ...]

    @property
    def split(self) -> bool:
        return len(self.shares) > 1


def moves(before: Gazetteer, after: Gazetteer) -> tuple[Move, ...]:
    """Return the communes in force before that are not in force after, in order of their ids.

    `after` must be what `before.adopt` returned, or `before` with another division in force.
    """
    return tuple(
        Move(
            commune_id=unit.unit_id,
            home=after.home_of(unit.unit_id),
            counted_in=after.row_at(unit.unit_id),
            shares=after.successors(unit.unit_id),
        )
        for unit in before.in_force(kind=UnitKind.COMMUNE)
        if not after.is_in_force(unit.unit_id)
    )
