"""What is said of a unit's level: which events follow from a change, by projections/alert_level's own words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from events.alert import AlertChange, AlertIssued, KindGroup
from events.level import LevelCause
from projections.alert_level.change import Change
from projections.alert_level.places import OUTSIDE
from projections.alert_level.shared import Shared
from projections.projection import Derived, derived_id

_AS_HAPPENED = frozenset({LevelCause.EVIDENCE, LevelCause.FADING, LevelCause.RESOLVED, LevelCause.ELECTION_WINDOW})


class Override(NamedTuple):
    """What people tell of a unit until a moment; `held` is the lowest level that was said since they decided it."""

    level: int
    held: int
    until: str


class Telling(NamedTuple):
    """A moment at which strangers may be told something: when, of which day, and of which groups of kinds."""

    at: str
    on: date
    groups: Sequence[KindGroup]


class Voice:
    """How often a unit was spoken of, the level that was said last, what strangers were told, the alert that stands."""

    __slots__ = ("alert", "alerts", "level", "levels", "override", "told", "told_at", "unit")

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.level = 0
        self.levels = 0
        self.told = 0
        self.told_at: str | None = None
        self.alerts = 0
        self.alert: UUID | None = None
        self.override: Override | None = None

    def row(self, home: str) -> tuple[Any, ...]:
        """The values of the writing `said`, in order."""
        level, held, until = self.override or (None, None, None)
        alert = str(self.alert) if self.alert else None
        numbers = (self.level, self.levels, self.alerts, alert)
        return (self.unit, home, *numbers, self.told, self.told_at, level, held, until)

    @classmethod
    def of(cls, row: Any) -> Voice:
        """A voice from its row."""
        voice = cls(row["unit"])
        voice.level, voice.levels, voice.alerts, voice.alert = row["level"], row["levels"], row["alerts"], row["alert"]
        voice.told, voice.told_at = row["told"], row["told_at"]
        if row["override_until"] is not None:
            voice.override = Override(row["override_level"], row["override_held"], row["override_until"])
        return voice

    def say(self, home: str, shared: Shared, change: Change) -> list[Derived]:
        """The events that follow from a change, and remember that they were said."""
        event = change.event()
        self.levels += 1
        self.level = event.after
        if self.override is not None and self.level < self.override.held:
            self.override = self.override._replace(held=self.level)
        stream = f"level/{self.unit}"
        said = [Derived(stream, home, f"{stream}/{self.levels}", change.at, event, shared.engine)]
        as_happened = event.cause in _AS_HAPPENED or (event.cause is LevelCause.COVERAGE and event.after < event.before)
        telling = Telling(change.at, change.on, change.groups)
        return self.tell(home, shared, telling, as_happened=as_happened) + said

    def tell(self, home: str, shared: Shared, telling: Telling, *, as_happened: bool) -> list[Derived]:
        """Tell strangers the level that is theirs now, if it is another and an alert or under one that stands."""
        before, after = self.told, self._theirs()
        if after == before:
            return []
        self.told, self.told_at = after, telling.at
        assert shared.rules is not None
        from_level = shared.rules.set.alerts.from_level
        if self.unit.startswith(OUTSIDE) or (after < from_level and self.alert is None):
            return []
        how = _how(before, after, from_level, as_happened=as_happened)
        self.alerts += 1
        stream = f"alert/{self.unit}"
        seed = f"{stream}/{self.alerts}"
        issued = AlertIssued(
            unit=self.unit,
            unit_name=shared.places.name(self.unit),
            codes=shared.places.codes(self.unit),
            before=before,
            after=after,
            on=telling.on,
            kinds=tuple(telling.groups),
            rules_hash=shared.rules.hash,
            change=how,
            updates=None if how is AlertChange.CANCELLED else self.alert,
            cancels=self.alert if how is AlertChange.CANCELLED else None,
        )
        self.alert = derived_id(seed) if after >= from_level else None
        return [Derived(stream, home, seed, telling.at, issued, shared.engine)]

    def _theirs(self) -> int:
        """The level that strangers are told: an override's, which never hides a rise."""
        if self.override is None or self.level > max(self.override.held, self.override.level):
            return self.level
        return self.override.level


def _how(before: int, after: int, from_level: int, *, as_happened: bool) -> AlertChange:
    if as_happened:
        return AlertChange.RAISED if after > before else AlertChange.LOWERED
    return AlertChange.CORRECTED if after >= from_level else AlertChange.CANCELLED
