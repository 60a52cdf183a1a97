"""A level that changed: what is written down of it, and what strangers may be told of why."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from events.alert import KindGroup
from events.level import LevelCause, LevelChanged
from projections.alert_level.home import EngineHome
from projections.alert_level.rules import Rules
from projections.alert_level.unit import Counted, Unit
from projections.watching import CONFIDENCE


class Change(NamedTuple):
    """A unit's change number so and so: what a `level.level_changed` says of it, and the groups of kinds behind it.

    A plain form of the event, since most changes of a long replay are only written down.
    """

    data: dict[str, Any]
    number: int
    on: date
    groups: tuple[KindGroup, ...]

    @property
    def at(self) -> str:
        return self.data["effective_at"]  # type: ignore[no-any-return]

    def event(self) -> LevelChanged:
        return LevelChanged.model_validate(self.data)


def change_of(rules: Rules, home: EngineHome, unit: Unit, before: int, at: str, cause: LevelCause) -> Change:
    """How a unit stands now, as a change from the level before."""
    assert unit.level is not None
    confident, reason = CONFIDENCE[unit.coverage]
    counted = unit.counted(home.cases)
    data = {
        "cause": cause.value,
        "confidence": confident.value,
        "confidence_reason": reason.value,
        "contributions": counted,
        "effective_at": at,
        "from": before,
        "open_cases": unit.open_cases,
        "peace": unit.offsetting(home.cases),
        "peace_offset": unit.offset,
        "points": unit.points,
        "rules_hash": rules.hash,
        "to": unit.level,
        "unit": unit.unit,
        "window_permille": unit.window_shown,
    }
    if unit.straight is not None:
        data["straight_to"] = unit.straight
    if cause is LevelCause.ENGINE:
        data["held"] = unit.level
    return Change(data, unit.changes, date.fromordinal(rules.day(at)), groups_of(rules, counted))


def groups_of(rules: Rules, counted: list[Counted]) -> tuple[KindGroup, ...]:
    """The groups of the kinds of those cases that count, as strangers are told them."""
    found = {group for one in counted if one["counted"] and (group := rules.kinds[one["kind"]].group)}
    return tuple(group for group in KindGroup if group in found)
