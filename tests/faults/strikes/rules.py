"""Other rules come into force while the partitions stand at different places of the history."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

from projections.rule_set import hash_of
from tests.faults.cast import ADMIN
from tests.faults.strikes import Strike
from tests.faults.world import World
from tests.support.crisis import RULES

POINTS = "points = 40000 "
"""Of a severe, confirmed act of violence."""
OTHER_POINTS = (40_000, 52_000, 64_000)
BEHIND_SECONDS = 3.0
"""So long is written before the rules and again after them, which nobody folds meanwhile."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Both processors are frozen for less than their session while other rules are adopted, and then have to catch up:
    each partition comes to the rules at another moment, with events before and behind them in one batch."""

    name: str = "rules_adopted_while_processors_sleep"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        asleep = [one for name in ("processor-1", "processor-2") for one in world.family(name)]
        points = dice.choice(OTHER_POINTS)
        for process in asleep:
            process.suspend()
        try:
            await asyncio.sleep(BEHIND_SECONDS)
            wrote = await _adopt(world, points, dice.getrandbits(32))
            await asyncio.sleep(BEHIND_SECONDS)
        finally:
            for process in reversed(asleep):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()
        return {"points": points, "wrote": wrote}


async def _adopt(world: World, points: int, number: int) -> Sequence[Mapping[str, object]]:
    content = RULES.read_text("utf-8")
    assert content.count(POINTS) == 1, "the rule set has changed: say which line is to be another one"
    content = f"# {number}\n" + content.replace(POINTS, f"points = {points} ")
    body = {"rule_set": "burundi", "content": content, "content_hash": hash_of(content)}
    return list((await world.post(ADMIN, "/v1/reference/adopt-rules", body, f"rules {number}"))["events"])


STRIKES: tuple[Strike, ...] = (Adopt(),)
