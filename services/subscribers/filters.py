"""What a subscriber wants to be told: units with all below them, from a level on, changes, modes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from events.alert import TAKES_BACK
from events.places.gazetteer import Gazetteer
from events.vocabulary import Mode
from services.area import Area
from services.ledger.ledger import Recorded

AMENDS = frozenset(one.value for one in TAKES_BACK)
"""Changes that take back what was told: whoever was told hears of them, whatever their filters say."""

ACTUAL = frozenset({Mode.ACTUAL.value})


@dataclass(frozen=True)
class PublicEvent:
    """One event that strangers may see, with its bytes as they stand on the topic of alerts."""

    row: Recorded
    wire: bytes

    @classmethod
    def of(cls, row: Recorded) -> PublicEvent:
        return cls(row, row.wire())

    @property
    def position(self) -> int:
        return self.row.position

    @cached_property
    def _envelope(self) -> Mapping[str, Any]:
        read: Mapping[str, Any] = orjson.loads(self.wire)
        return read

    @property
    def mode(self) -> str:
        return str(self._envelope.get("mode", Mode.ACTUAL.value))

    @property
    def data(self) -> Mapping[str, Any]:
        data: Mapping[str, Any] = self._envelope["data"]
        return data

    @property
    def level(self) -> int:
        """The level that an alert tells."""
        level: int = self.data["to"]
        return level


@dataclass(frozen=True, slots=True)
class Manner:
    """How a subscriber is told: each alert by itself at once, or those of a province in one notice, up to so many
    seconds after the first; and whether a higher alert of a unit holds back lower ones of what lies in it."""

    by_province: bool = False
    wait_seconds: int = 0
    inhibits: bool = False


EACH = Manner()
WAIT_SECONDS, LONGEST_WAIT_SECONDS = 30, 3_600
"""How long a notice waits for more of its province where nobody says, and at most."""


@dataclass(frozen=True, slots=True)
class Filters:
    """None lets everything through. A level counts on either side of a change, so that who was told of a crisis is told
    when it is over."""

    units: frozenset[str] | None = None
    minimum_level: int | None = None
    changes: frozenset[str] | None = None
    modes: frozenset[str] = ACTUAL

    def take(self, event: PublicEvent, gazetteer: Gazetteer | None) -> bool:
        """Whether this is wanted, by the gazetteer in force; what an event does not say lets it pass."""
        data = event.data
        if event.mode not in self.modes:
            return False
        if self.changes is not None and "change" in data and data["change"] not in self.changes:
            return False
        levels = [data[name] for name in ("from", "to") if name in data]
        if self.minimum_level is not None and levels and max(levels) < self.minimum_level:
            return False
        if self.units is None or "unit" not in data:
            return True
        return data["unit"] in self.units or (
            gazetteer is not None and Area(self.units).covers(gazetteer, data["unit"])
        )
