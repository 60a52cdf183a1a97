"""Connections that are cut, go silent and are healed: of the relays to Kafka, of the processors to PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.database.lead import LEASE_SECONDS
from tests.faults.strikes import Strike
from tests.faults.wires import Losing, Wire
from tests.faults.world import World

Which = Literal["relay_and_kafka", "processors_and_postgres"]

CONNECTED_SECONDS = 60.0
COMMIT_SECONDS = 60.0
APPENDS_SECONDS = 15.0
"""How long one that appends is waited for before any other is taken: levels change when they change."""


async def _connected(world: World, which: Which) -> Wire:
    """The wire, as soon as something is connected through it: else nothing could be cut."""
    wire: Wire = world.relay_kafka if which == "relay_and_kafka" else world.processors_postgres
    async with asyncio.timeout(CONNECTED_SECONDS):
        while not wire.links:  # noqa: ASYNC110 - a wire rings no bell
            await asyncio.sleep(0.02)
    return wire


@dataclass(frozen=True, slots=True)
class Cut:
    """Reset every connection between two, some times in a row."""

    between: Which

    @property
    def name(self) -> str:
        return f"cut_between_{self.between}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        cut = []
        for _ in range(dice.randint(1, 3)):
            wire = await _connected(world, self.between)
            await asyncio.sleep(dice.uniform(0.0, 0.5))  # anywhere in what they say to each other
            cut.append(wire.cut())
        return {"connections": cut}


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing arrives for some seconds, and nobody is told. `late`: all of it arrives afterwards; else none of it ever,
    and the connections stay as they are until whoever holds them gives them up."""

    between: Which
    late: bool
    least_seconds: float
    most_seconds: float

    @property
    def name(self) -> str:
        return f"{'hold' if self.late else 'swallow'}_between_{self.between}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        wire = await _connected(world, self.between)
        seconds = dice.uniform(self.least_seconds, self.most_seconds)
        links = wire.links
        if self.late:
            wire.hold()
        else:
            wire.swallow()
        try:
            await asyncio.sleep(seconds)  # what is tried is a silence of so long
        finally:
            wire.heal()
        return {"seconds": round(seconds, 2), "connections": links}


@dataclass(frozen=True, slots=True)
class LoseCommits:
    """Cut the connection of a processor exactly around its COMMIT: PostgreSQL has done it and nobody is told, or it
    never came."""

    done: bool

    @property
    def name(self) -> str:
        return "lose_answers_of_processors_commits" if self.done else "lose_processors_commits"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        appended = []
        for _ in range(dice.randint(1, 4)):
            appends = dice.random() < 0.5
            wire, losing = world.processors_postgres, Losing(self.done, appends)
            wire.lose(losing)
            if appends:
                try:
                    async with asyncio.timeout(APPENDS_SECONDS):
                        await losing.happened.wait()
                except TimeoutError:
                    losing.appends = appends = False
            async with asyncio.timeout(COMMIT_SECONDS):
                await losing.happened.wait()
            appended.append(appends)
        return {"also_appended": appended}


STRIKES: tuple[Strike, ...] = (
    Cut("relay_and_kafka"),
    Cut("processors_and_postgres"),
    LoseCommits(done=True),
    LoseCommits(done=False),
    Silence("relay_and_kafka", True, 2.0, LEASE_SECONDS + 3.0),
    Silence("relay_and_kafka", False, 2.0, LEASE_SECONDS + 3.0),
    Silence("processors_and_postgres", True, 2.0, LEASE_SECONDS + 3.0),
)
