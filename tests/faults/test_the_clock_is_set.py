"""The clock of a stack under load is set forwards, a year among it, and back; the seed is the same at each run."""

from __future__ import annotations

from pathlib import Path

from tests.faults.history import History
from tests.faults.moved import a_moved_clock
from tests.faults.nemesis import session
from tests.faults.strikes import clock
from tests.faults.world import a_world

FOUR = tuple(strike for strike in clock.STRIKES if strike.name.endswith(("_and_back", "_alone")))


async def test_nothing_acknowledged_is_lost_or_doubled_when_the_clock_is_set(tmp_path: Path) -> None:
    with a_moved_clock() as moved:
        async with a_world(moved) as world:
            history = History(tmp_path / "history.jsonl")
            await session(world, history, FOUR, 33, len(FOUR))
