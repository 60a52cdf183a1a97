"""Processes that are killed, asked to end, or frozen for some seconds and woken."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from services.database.lead import LEASE_SECONDS
from services.processors.delivery import SESSION_SECONDS
from tests.faults.strikes import Strike
from tests.faults.world import World

GONE_SECONDS = 60.0


async def _which(world: World, dice: random.Random, what: str) -> str:
    """One process of a kind: of the relays the one that leads or the one that stands by, of others either."""
    match what:
        case "leading-relay":
            return await world.leading_relay()
        case "standby-relay":
            return "relay-2" if await world.leading_relay() == "relay-1" else "relay-1"
        case "api" | "processor":
            return f"{what}-{dice.choice((1, 2))}"
        case _:
            return what


async def _until_replaced(world: World, name: str, old: psutil.Process) -> None:
    """Wait until it has ended; the supervisor starts it again, and if it was the supervisor, a person does."""
    async with asyncio.timeout(GONE_SECONDS):
        if name == "supervisor":
            assert world.stack.supervisor is not None
            await asyncio.to_thread(world.stack.supervisor.wait)
            return
        while old.is_running() and old.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


@contextmanager
def nobody_brings_back(world: World) -> Iterator[None]:
    """While the block runs the supervisor stands still: what was killed stays away for as long as it takes."""
    supervisor = psutil.Process(world.supervisor)
    supervisor.suspend()
    try:
        yield
    finally:
        supervisor.resume()


async def kill(world: World, *names: str) -> None:
    """Kill them, and wait until they are gone: their parent is standing still, so they are never reaped."""
    processes = [psutil.Process(world.pid(name)) for name in names]
    for process in processes:
        process.send_signal(signal.SIGKILL)
    async with asyncio.timeout(GONE_SECONDS):
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                while process.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class End:
    """Signal one process; where it is not killed it has to end by itself."""

    what: str
    sign: signal.Signals

    @property
    def name(self) -> str:
        return f"{'kill' if self.sign is signal.SIGKILL else 'term'}_{self.what}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        name = await _which(world, dice, self.what)
        process = psutil.Process(world.pid(name))
        process.send_signal(self.sign)
        with contextlib.suppress(psutil.NoSuchProcess):
            await _until_replaced(world, name, process)
        return {"process": name, "pid": process.pid}


@dataclass(frozen=True, slots=True)
class Freeze:
    """Stop one process with everything it started, and wake it; what it had in its buffers it then sends."""

    what: str
    least_seconds: float
    most_seconds: float
    longest: str = ""

    @property
    def name(self) -> str:
        return f"freeze_{self.what}{self.longest}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        name = await _which(world, dice, self.what)
        seconds = dice.uniform(self.least_seconds, self.most_seconds)
        family = world.family(name)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            await asyncio.sleep(seconds)  # what is tried is a freeze of so long
        finally:
            for process in reversed(family):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()
        return {"process": name, "seconds": round(seconds, 2)}


@dataclass(frozen=True, slots=True)
class KillTogether:
    """Kill several at the same moment: whoever stands by is gone too."""

    which: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"kill_{'_and_'.join(self.which)}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        processes = {name: psutil.Process(world.pid(name)) for name in self.which}
        for process in processes.values():
            process.kill()
        for name, process in processes.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                await _until_replaced(world, name, process)
        return {name: process.pid for name, process in processes.items()}


_KINDS = ("api", "leading-relay", "standby-relay", "processor", "postgres", "kafka", "supervisor")

STRIKES: tuple[Strike, ...] = (
    *(End(what, sign) for what in _KINDS for sign in (signal.SIGKILL, signal.SIGTERM)),
    KillTogether(("api-1", "api-2")),
    KillTogether(("relay-1", "relay-2")),
    KillTogether(("processor-1", "processor-2")),
    KillTogether(("postgres", "kafka")),
    *(Freeze(what, 1.0, 3.0) for what in _KINDS),
    # longer than the lease: another one leads, and the woken one has a buffer full of what was sent meanwhile
    Freeze("leading-relay", LEASE_SECONDS + 1.0, LEASE_SECONDS + 3.0, "_past_its_lease"),
    # and of two processors the other one has all partitions when it wakes with batches that it had folded before
    Freeze("processor", SESSION_SECONDS + 2.0, SESSION_SECONDS + 4.0, "_past_its_session"),
)
