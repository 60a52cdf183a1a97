"""The whole under load while its parts are killed, ended and frozen, by seeds that are the same at each run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.history import History
from tests.faults.nemesis import session
from tests.faults.strikes import every
from tests.faults.world import a_world

SEEDS = (6, 77, 20060910, 20150426, 20151111, 20180517)
FAULTS = 7
"""Of each session: short ones, as the limit of one test is theirs too on a machine that others use."""


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_acknowledged_is_lost_or_doubled_whatever_is_killed_or_frozen(seed: int, tmp_path: Path) -> None:
    async with a_world() as world:
        history = History(tmp_path / "history.jsonl")
        await session(world, history, every(), seed, FAULTS)
