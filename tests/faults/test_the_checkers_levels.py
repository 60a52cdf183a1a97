"""What the checker computes anew is what the definition says: two readings of one page, by different means."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from projections.projection import derived_id
from tests.faults.checker import units
from tests.faults.checker.recomputing import Levels
from tests.faults.checker.weights import Case, Weight, weigh
from tests.support.level_histories import history
from tests.support.reference_level.recomputing import recomputed
from tests.support.reform_histories import reform_history


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("made", [history, reform_history])
def test_levels_and_alerts_of_any_history_are_those_of_the_slow_reference(made: Any, seed: int) -> None:
    events = made(seed, 60)
    levels = Levels()
    expected: list[Any] = []
    for event, standing in recomputed(events, {1: 1}):
        levels.take(event)
        expected = standing.voice.said

    own = [(one.stream, one.home, one.event_id, one.engine, one.data) for one in levels.voice.said]
    assert own == [(one.stream, one.home, str(derived_id(one.seed)), one.engine, one.data) for one in expected]


def test_such_histories_have_changes_and_alerts_of_every_kind() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(30):
        for made in (history, reform_history):
            levels = Levels()
            for event in made(seed, 60):
                levels.take(event)
            kinds.update(one.data.get("cause") or one.data["change"] for one in levels.voice.said)

    assert {"evidence", "fading", "resolved", "retraction", "rules", "raised", "lowered", "cancelled"} <= kinds.keys()


def test_an_event_weighs_what_it_speaks_of_and_not_the_whole_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of hundreds of cases are worked out in the time of their events, and not of its square."""
    weighed: list[str] = []

    def counting(case: Case, *about: Any) -> Weight:
        weighed.append(case.case_id)
        return weigh(case, *about)

    monkeypatch.setattr(units, "weigh", counting)
    each = []
    for length in (250, 500):
        weighed.clear()
        levels = Levels()
        events = history(5, length)
        for event in events:
            levels.take(event)
        each.append(len(weighed) / len(events))

    assert max(each) < 12
