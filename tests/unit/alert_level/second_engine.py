"""An engine for tests alone: it sees every case twice as grave as the first, and has its number after it."""

from __future__ import annotations

from projections.alert_level.case import Case, Weight
from projections.alert_level.engine import FirstEngine
from projections.alert_level.fold import ENGINES, AlertLevel, Home
from projections.alert_level.rules import Rules
from projections.alert_level.shared import NAME, Shared
from projections.alert_level.table import AlertLevelTable
from projections.projection import Projection


class SecondEngine(FirstEngine):
    number = 2

    def weight(self, case: Case, rules: Rules | None, day: int, window: int, paused_since: int | None) -> Weight:
        weight = super().weight(case, rules, day, window, paused_since)
        return weight._replace(
            given=2 * weight.given,
            faded=2 * weight.faded,
            floor=2 * weight.floor,
            standing=2 * weight.standing,
            weighted=2 * weight.standing * window // 1000 if weight.windowed else 2 * weight.standing,
            worth=2 * weight.worth,
        )


WITH_A_SECOND: Projection[Home, Shared] = Projection(
    NAME, 2, AlertLevel({**ENGINES, 2: SecondEngine()}), AlertLevelTable()
)
