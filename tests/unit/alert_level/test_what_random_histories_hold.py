"""What chance makes is worth trying: places that nobody watches, overrides and elections are in it, and take effect."""

from __future__ import annotations

from collections import Counter

from events.alert import AlertIssued
from events.level import Confidence, LevelChanged
from projections.alert_level import PROJECTION
from projections.alert_level.rows import unit_read
from projections.projection import Derived
from tests.support.level_histories import history
from tests.support.projected import folded

HISTORIES = 30
LENGTH = 70


def test_random_histories_hold_coverage_overrides_and_election_windows() -> None:
    """In how many of so many histories each is there, and in how many it made a difference."""
    held: Counter[str] = Counter()
    for seed in range(HISTORIES):
        log = history(seed, LENGTH)
        page, derived = folded(PROJECTION, log)
        changes = [one.data for one in derived if isinstance(one.data, LevelChanged)]
        units = [unit_read(row) for row in page.rows.get("unit", ())]
        held.update({event.type for event in log})
        held["a window counts"] += any(one.window_permille != 1000 for one in changes)
        held["somebody watches"] += any(unit["confidence"] in (Confidence.HIGH, Confidence.MEDIUM) for unit in units)
        held["nobody watches"] += any(unit["confidence"] == Confidence.BLIND for unit in units)
        _, otherwise = folded(PROJECTION, [event for event in log if event.type != "alert.overridden"])
        held["an override is told"] += _alerts(derived) != _alerts(otherwise)
    wanted = (
        "reporter.coverage_assigned",
        "reporter.checked_in",
        "alert.overridden",
        "reference.election_dated",
        "somebody watches",
        "nobody watches",
        "an override is told",
        "a window counts",
    )
    few = {name: held[name] for name in wanted if held[name] < HISTORIES // 10}
    assert few == {}, held


def _alerts(derived: list[Derived]) -> list[tuple[str, str, int]]:
    return [(one.data.unit, one.data.change, one.data.after) for one in derived if isinstance(one.data, AlertIssued)]
