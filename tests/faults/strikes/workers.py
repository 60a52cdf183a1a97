"""Relays, processors and notifiers beside those of the supervisor: started by mistake, or added under load."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import psutil
from kafka import KafkaAdminClient

from services.settings import PREFIX, child_environment
from tests.faults.strikes import Strike
from tests.faults.strikes.webhooks import Again, sends_again
from tests.faults.world import CHILD, LOOK_SECONDS, ROOT, SQL, NotCalm, World

BEGUN_SECONDS = 60.0
END_SECONDS = 30
LEAST_SECONDS, MOST_SECONDS = 2.0, 5.0
"""How long it works beside the others."""
First: TypeAlias = Literal["stays", "killed", "frozen"]
FIRST: tuple[First, ...] = get_args(First)
"""What becomes of the first one when there is one more."""


@asynccontextmanager
async def one_more(world: World, module: str, **environment: str) -> AsyncIterator[psutil.Popen]:
    """`python -m module` with the settings of the stack, as somebody might start it at a terminal."""
    with (world.folder / "one_more.said").open("ab") as said:
        process = psutil.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=child_environment(world.stack.settings) | dict(world.stack.extra) | environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
        await asyncio.to_thread(process.wait)


async def until_it_is_so(what: str, condition: Callable[[], Awaitable[bool]], process: psutil.Popen) -> None:
    """Wait for it while the process runs."""
    deadline = time.monotonic() + BEGUN_SECONDS
    while not await condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotCalm(f"{what} does not come; {process} ended with {process.returncode}")
        await asyncio.sleep(LOOK_SECONDS)


async def end(process: psutil.Popen, dice: random.Random) -> str:
    """Ask it to end, or kill it; how it ended."""
    if process.poll() is not None:
        return f"by itself with status {process.returncode}"
    sign = dice.choice((signal.SIGTERM, signal.SIGKILL))
    process.send_signal(sign)
    await asyncio.to_thread(process.wait, END_SECONDS)
    return sign.name


def ports_of(process: psutil.Popen) -> set[int]:
    """From where it speaks with others."""
    with contextlib.suppress(psutil.Error):
        return {one.laddr.port for one in process.net_connections("tcp") if one.laddr}
    return set()


@dataclass(frozen=True, slots=True)
class OneMoreRelay:
    """A third relay. It stands by; or the two others are killed, and it leads until it ends."""

    takes_over: bool

    @property
    def name(self) -> str:
        return "workers_relay_takes_over" if self.takes_over else "workers_relay_by_mistake"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        async with one_more(world, "services.relay") as process:

            async def in_line() -> bool:
                return bool({row["client_port"] for row in await world.rows(SQL["relays"])} & ports_of(process))

            async def leads() -> bool:
                return await world.value(SQL["leader_port"]) in ports_of(process)

            await until_it_is_so("a third relay", in_line, process)
            if self.takes_over:
                for name in ("relay-1", "relay-2"):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        psutil.Process(world.pid(name)).kill()
                await until_it_is_so("its lead", leads, process)
            await asyncio.sleep(dice.uniform(LEAST_SECONDS, MOST_SECONDS))  # what is tried is so long beside the others
            led = await leads()
            return {"led": led, "ended": await end(process, dice)}


async def nothing(world: World) -> Again:
    """Wait for nothing that it does."""
    return []


@dataclass(frozen=True, slots=True)
class OneMoreLeader:
    """A second one of which only one leads. It stands by; or the first one is killed, or frozen past its lease, and it
    leads until it ends.

    `child` is its name with the supervisor, `called` what the strikes are called after, `in_line` and `leader_port` the
    questions from which ports such processes speak, and from which the one that leads; `works` waits until it did
    something, and says what is told once more by it.
    """

    child: str
    called: str
    in_line: str
    leader_port: str
    first: First
    works: Callable[[World], Awaitable[Again]] = nothing
    most_seconds: float = MOST_SECONDS

    @property
    def name(self) -> str:
        done = {"stays": "by_mistake", "killed": "takes_over", "frozen": "while_the_first_is_frozen"}
        return f"{self.called}_{done[self.first]}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        async with one_more(world, f"services.{self.child}") as process:

            async def in_line() -> bool:
                return bool({row["client_port"] for row in await world.rows(self.in_line)} & ports_of(process))

            async def leads() -> bool:
                return await world.value(self.leader_port) in ports_of(process)

            await until_it_is_so(f"a second {self.child}", in_line, process)
            again = await self.works(world)
            first = psutil.Process(world.pid(self.child))
            try:
                if self.first == "killed":
                    first.kill()
                elif self.first == "frozen":
                    first.suspend()
                if self.first != "stays":
                    await until_it_is_so("its lead", leads, process)
                    again += await self.works(world)
                await asyncio.sleep(
                    dice.uniform(LEAST_SECONDS, self.most_seconds)
                )  # what is tried is so long beside it
            finally:
                with contextlib.suppress(psutil.NoSuchProcess):
                    first.resume()
            led = await leads()
            return {"led": led, "again": again, "ended": await end(process, dice)}


@dataclass(frozen=True, slots=True)
class OneMoreProcessor:
    """A third processor that takes some of the partitions; or a second one under the name of the first."""

    same_name: bool

    @property
    def name(self) -> str:
        return "workers_processor_of_the_same_name" if self.same_name else "workers_processor_added_and_removed"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        name = CHILD[f"processor-{dice.choice((1, 2))}"] if self.same_name else ""
        group = world.stack.settings.processors_group
        before = await asyncio.to_thread(_members, world.bootstrap, group)
        environment = {f"{PREFIX}PROCESSOR_MEMBER": name} if name else {}
        async with one_more(world, "services.processors", **environment) as process:

            async def joined() -> bool:
                return bool(await asyncio.to_thread(_members, world.bootstrap, group) - before)

            await until_it_is_so("another member", joined, process)
            await asyncio.sleep(dice.uniform(LEAST_SECONDS, MOST_SECONDS))  # what is tried is so long beside the others
            return {"called": name or "nothing", "ended": await end(process, dice)}


def _members(bootstrap: str, group: str) -> set[str]:
    """Who is in the group, by the ids that the broker gave."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        return {one["member_id"] for one in admin.describe_groups([group])[group]["members"]}


STRIKES: tuple[Strike, ...] = (
    OneMoreRelay(takes_over=False),
    OneMoreRelay(takes_over=True),
    OneMoreProcessor(same_name=False),
    OneMoreProcessor(same_name=True),
    *(
        OneMoreLeader("notifier", "workers_notifier", SQL["notifiers"], SQL["notifier_leader_port"], first, sends_again)
        for first in FIRST
    ),
)
