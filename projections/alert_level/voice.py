"""What the log says of a unit's level: which events follow from a change, by projections/alert_level's own words."""

from __future__ import annotations

from uuid import UUID

from events.alert import AlertChange, AlertIssued
from events.level import LevelCause, LevelChanged
from projections.alert_level.engine import Change
from projections.alert_level.places import OUTSIDE, Places
from projections.projection import Derived, derived_id

_AS_HAPPENED = frozenset({LevelCause.EVIDENCE, LevelCause.FADING, LevelCause.RESOLVED, LevelCause.ELECTION_WINDOW})


class Voice:
    """How often a unit was spoken of, the level that was said last, and the alert that stands."""

    __slots__ = ("alert", "alerts", "level", "levels", "unit")

    def __init__(self, unit: str, level: int = 0, levels: int = 0, alerts: int = 0, alert: UUID | None = None) -> None:
        self.unit = unit
        self.level = level
        self.levels = levels
        self.alerts = alerts
        self.alert = alert

    def say(self, home: str, engine: int, places: Places, from_level: int, change: Change) -> list[Derived]:
        """The events that follow from a change, and remember that they were said."""
        event = change.event()
        self.levels += 1
        self.level = event.after
        stream = f"level/{self.unit}"
        said = [Derived(stream, home, f"{stream}/{self.levels}", change.at, event, engine)]
        if not self.unit.startswith(OUTSIDE) and (event.after >= from_level or self.alert is not None):
            said.insert(0, self._alert(home, engine, places, from_level, change, event))
        return said

    def _alert(
        self, home: str, engine: int, places: Places, from_level: int, change: Change, event: LevelChanged
    ) -> Derived:
        how = _how(event.cause, event.before, event.after, from_level)
        self.alerts += 1
        stream = f"alert/{self.unit}"
        seed = f"{stream}/{self.alerts}"
        issued = AlertIssued(
            unit=self.unit,
            unit_name=places.name(self.unit),
            codes=places.codes(self.unit),
            before=event.before,
            after=event.after,
            on=change.on,
            kinds=change.groups,
            rules_hash=event.rules_hash,
            change=how,
            updates=None if how is AlertChange.CANCELLED else self.alert,
            cancels=self.alert if how is AlertChange.CANCELLED else None,
        )
        self.alert = derived_id(seed) if event.after >= from_level else None
        return Derived(stream, home, seed, change.at, issued, engine)


def _how(cause: LevelCause, before: int, after: int, from_level: int) -> AlertChange:
    if cause in _AS_HAPPENED or (cause is LevelCause.COVERAGE and after < before):
        return AlertChange.RAISED if after > before else AlertChange.LOWERED
    return AlertChange.CORRECTED if after >= from_level else AlertChange.CANCELLED
