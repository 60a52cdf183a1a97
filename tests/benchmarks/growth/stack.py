"""The stack that grows: `intabaza up` as everybody runs it, ended and started again, and killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import psutil

from events.vocabulary import Role
from services import clock
from services.api.tokens import Bearer, TokenIssuer
from services.area import EVERYWHERE
from tests.benchmarks.connections import is_ready
from tests.benchmarks.growth.costs import Costs
from tests.benchmarks.growth.standing import settled, standing
from tests.benchmarks.growth.writing import CALLERS, Writer, Wrote
from tests.support.stack import Stack

EVERYTHING = {
    "INTABAZA_APIS": "1",
    "INTABAZA_NOTIFIERS": "0",
    "INTABAZA_API_PORT": "0",
    "INTABAZA_API_REQUESTS_PER_SECOND": "0",
    "INTABAZA_API_STREAMS_PER_PERSON": "0",
}
PROCESSES = ("postgres", "kafka", "relay", "processors", "api")
BEGINS = "2015-04-26T05:00:00"
UNTIL_READY_SECONDS = 300
LOOK_SECONDS = 0.02
WORD_FROM_THE_RELAY = "relay_sends"


@dataclass(frozen=True)
class Started:
    """How long until the stack was up, and until an event appended then was folded everywhere."""

    up: float
    working: float
    each: dict[str, float]
    """By process, from its own beginning until it was ready."""
    cpu: dict[str, float]
    """By process, until an event was folded everywhere."""


class GrowingStack:
    """One stack in one folder, and who writes its history."""

    def __init__(self, folder: Path, writer: Writer) -> None:
        self.stack = Stack(folder, EVERYTHING)
        self.writer = writer
        self.owner: asyncpg.Connection[asyncpg.Record]
        self.looker: asyncpg.Connection[asyncpg.Record]

    @property
    def api_port(self) -> int:
        return int(self.stack.state["ports"]["api"])

    def names(self) -> dict[int, str]:
        """Which process is which."""
        return {self.stack.pid(name): name for name in PROCESSES} | {self.writer.pid: "writer"}

    def costs(self) -> Costs:
        return Costs(self.looker, self.names())

    def token(self) -> str:
        """Of a coordinator who sees everything; the API's clock is the machine's, also where the ledger's is not."""
        issuer = TokenIssuer.of(self.stack.settings)
        return issuer.issue(Bearer(uuid4(), Role.COORDINATOR, EVERYWHERE), clock.now(), timedelta(hours=12))

    async def write(self, head: int, seconds: float, callers: int = CALLERS) -> Wrote:
        addresses = self.stack.addresses
        return await self.writer.grow(addresses.app_dsn, addresses.owner_dsn, head, seconds, callers)

    async def begin(self) -> None:
        """Start it, and let a simulated network begin where none has."""
        await asyncio.to_thread(self.stack.up)
        await self._connect()
        if not (await standing(self.owner)).head:
            began = await asyncio.to_thread(
                self.stack.command, "begin", "--division", "2015", "--simulated-from", BEGINS
            )
            assert began.returncode == 0, began.stderr
        await self._until_ready()
        await settled(self.owner)

    async def end(self) -> None:
        """SIGTERM, as `intabaza down` sends it."""
        await self.owner.close()
        await self.looker.close()
        assert self.stack.supervisor is not None
        self.stack.supervisor.terminate()
        await asyncio.to_thread(self.stack.wait_for_the_end)

    async def kill(self) -> None:
        """SIGKILL to everything, the supervisor first, so that it starts nothing again."""
        self.owner.terminate()
        self.looker.terminate()
        supervisor = self.stack.supervisor
        assert supervisor is not None
        pids = [self.stack.pid(name) for name in PROCESSES]
        supervisor.kill()
        everybody = []
        for pid in pids:
            with contextlib.suppress(psutil.NoSuchProcess):
                server = psutil.Process(pid)
                server.suspend()  # or a postmaster would go on starting sessions between the list and the kill
                everybody += [server, *server.children(recursive=True)]
        for one in everybody:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        await asyncio.to_thread(psutil.wait_procs, everybody, 30)
        await asyncio.to_thread(supervisor.communicate)

    async def start(self) -> Started:
        """Start it again, and let one group of events go all the way."""
        began = clock.now()
        each: dict[str, float] = {}
        watching = asyncio.create_task(self._watch(each, self._words_from_the_relay()))
        try:
            await asyncio.to_thread(self.stack.up)
            up = _since(began)
            await self._connect()
            await self.write((await standing(self.owner)).head + 1, 60)
            await settled(self.owner)
            working = _since(began)
            await self._until_ready()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        used = await self.costs().look()
        return Started(up, working, each, {name: used[name] for name in PROCESSES})

    async def _watch(self, each: dict[str, float], words: int) -> None:
        """A server or the API stands in the supervisor's state as soon as it is ready; the relay says so."""
        while True:
            for name in PROCESSES:
                if name != "processors" and (name != "relay" or self._words_from_the_relay() > words):
                    with contextlib.suppress(KeyError, psutil.NoSuchProcess):
                        process = psutil.Process(self.stack.pid(name))
                        each.setdefault(name, clock.now().timestamp() - process.create_time())
            await asyncio.sleep(LOOK_SECONDS)

    def _words_from_the_relay(self) -> int:
        return (self.stack.folder / "logs" / "relay.log").read_text().count(WORD_FROM_THE_RELAY)

    async def _connect(self) -> None:
        dsn = self.stack.addresses.owner_dsn
        self.owner, self.looker = await asyncpg.connect(dsn), await asyncpg.connect(dsn)

    async def _until_ready(self) -> None:
        async with asyncio.timeout(UNTIL_READY_SECONDS):
            while not await is_ready(self.api_port):  # noqa: ASYNC110 - another process
                await asyncio.sleep(LOOK_SECONDS)


def _since(moment: datetime) -> float:
    return (clock.now() - moment).total_seconds()


@asynccontextmanager
async def growing_stack(folder: Path, skip: int) -> AsyncIterator[GrowingStack]:
    """The stack, up and begun; ended at the end, with its folder as it is."""
    writer = Writer(skip)
    grown = GrowingStack(folder, writer)
    try:
        await grown.begin()
        yield grown
        await grown.end()
    finally:
        writer.end()
        if (supervisor := grown.stack.supervisor) is not None and supervisor.poll() is None:
            supervisor.terminate()
            await asyncio.to_thread(supervisor.communicate)
