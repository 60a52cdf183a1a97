"""What the checker finds lost and restored is what the projection tells: two readings of one page."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from projections.coverage import PROJECTION
from projections.projection import derived_id
from tests.faults.checker.coverage import Coverage
from tests.support.level_histories import history
from tests.support.levels import Log
from tests.support.projected import folded


@pytest.mark.parametrize("seed", range(40))
def test_what_is_lost_and_restored_in_any_history_is_what_the_projection_tells(seed: int) -> None:
    events = list(history(seed, 70))
    adopted = Log().engine(projection="coverage").events[0]
    events.insert(seed % 20, replace(adopted, time=events[seed % 20].time))
    coverage = Coverage()
    for event in events:
        coverage.take(event)

    own = {one.event_id: (one.type, one.stream, one.home, one.engine, one.data) for one in coverage.said}
    assert own == {
        str(derived_id(one.seed)): (one.data.name, one.stream, one.home, one.engine, one.data.wire_data())
        for one in folded(PROJECTION, events)[1]
    }


def test_such_histories_lose_and_restore_units_and_channels() -> None:
    kinds: Counter[tuple[str, bool]] = Counter()
    for seed in range(40):
        coverage = Coverage()
        for event in [*Log().engine(projection="coverage").events, *history(seed, 70)]:
            coverage.take(event)
        kinds.update((one.type, "channel" in one.data) for one in coverage.said)
    assert len(kinds) == 4
    assert min(kinds.values()) > 5
