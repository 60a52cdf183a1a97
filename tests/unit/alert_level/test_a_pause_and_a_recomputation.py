"""The pause while nobody watches, and a change computed again."""

from __future__ import annotations

from events.level import Confidence
from projections.alert_level.coverage import fading_day, while_watched
from projections.alert_level.recompute import recompute
from projections.alert_level.rules import Rules
from projections.watching import CONFIDENCE, Coverage
from tests.support.levels import FIRST_RULES, Log, stood

RULES = Rules(FIRST_RULES)


def test_while_coverage_is_lost_a_level_may_rise_and_never_falls() -> None:
    assert while_watched(1, 2, lost=True) == 2
    assert while_watched(3, 2, lost=True) == 3
    assert while_watched(1, 2, lost=False) == 1


def test_while_coverage_is_lost_nothing_fades() -> None:
    assert fading_day(100, 90) == 90
    assert fading_day(100, 100) == 100
    assert fading_day(100, None) == 100


def test_calm_and_cut_off_do_not_look_the_same() -> None:
    assert {coverage: confidence for coverage, (confidence, _) in CONFIDENCE.items()} == {
        Coverage.UNKNOWN: Confidence.LOW,
        Coverage.FULL: Confidence.HIGH,
        Coverage.PARTIAL: Confidence.MEDIUM,
        Coverage.CHANNEL_LOST: Confidence.MEDIUM,
        Coverage.FEW: Confidence.LOW,
        Coverage.LOST: Confidence.BLIND,
    }


def test_a_change_of_engine_is_computed_again_from_the_level_that_was_held() -> None:
    log = Log().rules().opened("a").assessed("a").days(3).engine()  # 30 points: held at 3, reached only for 2
    change = stood(log).changes[-1]
    assert (change.before, change.after, change.held) == (0, 3, 3)
    assert recompute(change, RULES) == (30_000, 3)
