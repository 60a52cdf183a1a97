"""The notifier is killed, ended and frozen while it sends, and whoever it sends to fails, hangs, or says it is gone."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from services.database.lead import LEASE_SECONDS
from tests.faults.receiver import ALL, CLOSES, HANGS, TAKES
from tests.faults.strikes import Strike
from tests.faults.strikes.processes import End, Freeze
from tests.faults.world import LOOK_SECONDS, SQL, World, until

ASKED_SECONDS = 60.0
NEW_SECONDS = 5.0
"""How long one that was never sent is waited for, before some are asked for again: levels change when they change."""
AGAIN = 10
"""So many of the last alerts are asked for again, so that something is being sent when it strikes."""

Again: TypeAlias = "list[tuple[str, int]]"
"""Who is told once more, and from which position on."""


async def something_is_sent(world: World) -> Again:
    """Ask for the last alerts once more, for each subscriber; nothing where there is none yet."""
    asked = [(to, await world.value(SQL["send_again"], one, AGAIN)) for to, one in world.subscribers.items()]
    return [(to, position) for to, position in asked if position is not None]


async def all_is_told(world: World) -> None:
    """Wait until each subscriber was told all alerts that there are now."""
    head = await world.head()

    async def told() -> bool:
        return not await world.rows(SQL["not_told"], head)

    await until("not all is told by webhook", told, ASKED_SECONDS)


async def sends_again(world: World) -> Again:
    """Ask for the last alerts once more when nothing else is on its way: what is asked for twice is told twice."""
    await all_is_told(world)
    return await something_is_sent(world)


@dataclass(frozen=True, slots=True)
class WhileItSends:
    """A strike at the notifier in the middle of something."""

    strike: Strike

    @property
    def name(self) -> str:
        return f"webhooks_{self.strike.name}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        again: Again = []
        what = dice.choice(("again", "anew"))
        if what == "again":
            again = await something_is_sent(world)
            await asyncio.sleep(dice.uniform(0.0, 0.1))  # anywhere in what it sends
            return {"sends": what, "again": again, **await self.strike(world, dice)}
        before = await world.receiver.answers(HANGS)
        try:
            deadline = time.monotonic() + NEW_SECONDS
            while (came := await world.receiver.came()) == before and time.monotonic() < deadline:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(LOOK_SECONDS)
            if came == before:
                again = await something_is_sent(world)
                what = "again" if again else "nothing"
                await asyncio.sleep(dice.uniform(0.0, 0.5))
            done = await self.strike(world, dice)
        finally:
            await world.receiver.answers(TAKES)
        return {"sends": what, "again": again, **done}


@dataclass(frozen=True, slots=True)
class ReceiverFails:
    """It answers otherwise for some seconds, or not at all."""

    called: str
    ways: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"webhooks_receiver_{self.called}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        how, seconds = dice.choice(self.ways), dice.uniform(0.5, 3.0)
        before = await world.receiver.answers(how)
        try:
            if again := await something_is_sent(world):

                async def asked() -> bool:
                    return await world.receiver.came() > before

                await until("nothing comes to the receiver", asked, ASKED_SECONDS)
            await asyncio.sleep(seconds)  # what is tried is so long a failure
        finally:
            await world.receiver.answers(TAKES)
        return {"how": how, "seconds": round(seconds, 2), "again": again}


@dataclass(frozen=True, slots=True)
class ReceiverIsGone:
    """It answers 410 and nothing more is sent to it; then a person enables it again."""

    name: str = "webhooks_receiver_is_gone"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        await world.receiver.answers("410")
        try:
            if again := await something_is_sent(world):

                async def disabled() -> bool:
                    return bool(await world.value(SQL["disabled"], world.subscribers[ALL]))

                await until("410 disables nobody", disabled, ASKED_SECONDS)
        finally:
            await world.receiver.answers(TAKES)
        await world.command("subscriber", "enable", str(world.subscribers[ALL]))
        return {"again": again}


STRIKES: tuple[Strike, ...] = (
    WhileItSends(End("notifier", signal.SIGKILL)),
    WhileItSends(End("notifier", signal.SIGTERM)),
    WhileItSends(Freeze("notifier", 1.0, 3.0)),
    WhileItSends(Freeze("notifier", LEASE_SECONDS + 1.0, LEASE_SECONDS + 3.0, "_past_its_lease")),
    ReceiverFails("fails", ("500", "503", "429", "302", "404", CLOSES)),
    ReceiverFails("hangs", (HANGS,)),
    ReceiverIsGone(),
)
