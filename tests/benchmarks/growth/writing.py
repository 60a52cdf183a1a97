"""Who appends the history: a process of its own, so that its CPU can be told from everybody else's.

It appends through the ledger's port as the desk does, many callers at a time, sets the simulated clock before each
group, and waits where the projections have fallen behind. What an interrupted run has appended already is repeated.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection

import asyncpg

from services import clock
from services.ledger.ledger import Append, Entry, Submission
from services.ledger.postgres import PostgresLedger
from tests.benchmarks.growth.standing import standing
from tests.support.crisis import Written, crisis

CALLERS = 256
MANY_CALLERS = 1_000
"""On the way to where it is measured."""
PER_DAY = 1_000
"""A case weighs something for up to a hundred days: from 100,000 events on as much weighs as ever will."""
LEAD = 10_000
"""How many events the projections may be behind: an even flow, whatever the machine does beside."""
LOOK_EVENTS = 1_000
LOOK_SECONDS = 0.02
ENDLESS = 10**12

_SPAWN = get_context("spawn")


@dataclass(frozen=True)
class Wrote:
    """What one order came to."""

    written: int
    """Events of the history so far, without those that follow from them."""
    head: int
    appended: int
    appending_cpu: float
    """Seconds of this process's CPU, without what making the events took."""
    group_ms: float
    """How long a group of callers waited for its answer, at the median."""


class Writer:
    """The process, and its orders; `skip` is how much of the history an earlier writer wrote."""

    def __init__(self, skip: int = 0) -> None:
        self._line, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=write, args=(theirs, skip), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    async def grow(self, app_dsn: str, owner_dsn: str, head: int, seconds: float, callers: int) -> Wrote:
        """Append until the ledger's head is there, or the time is over."""
        return await asyncio.to_thread(self._order, app_dsn, owner_dsn, head, seconds, callers)

    def _order(self, *order: object) -> Wrote:
        self._line.send(order)
        while not self._line.poll(1):
            assert self._process.is_alive(), "the writer has ended"
        answer = self._line.recv()
        assert isinstance(answer, Wrote)
        return answer

    def end(self) -> None:
        self._process.terminate()
        self._process.join()


def write(line: Connection, skip: int) -> None:
    """Follow orders until nobody gives any."""
    history, written = crisis(ENDLESS, per_day=PER_DAY), skip
    next(islice(history, skip, skip), None)
    while True:
        try:
            order = line.recv()
        except EOFError:
            os._exit(0)
        wrote = asyncio.run(_grow(history, written, *order))
        written = wrote.written
        line.send(wrote)


async def _grow(
    history: Iterator[Written], written: int, app_dsn: str, owner_dsn: str, until: int, seconds: float, callers: int
) -> Wrote:
    owner = await asyncpg.connect(owner_dsn)
    ledger = await PostgresLedger.connect(app_dsn, clock.now)
    ends, looked_at, appended, cpu = time.monotonic() + seconds, 0, 0, 0.0
    took: list[float] = []
    try:
        head, stands = (await ledger.head()).position, await ledger.simulated_clock()
        assert stands is not None
        while head < until and time.monotonic() < ends:
            events = list(islice(history, min(callers, until - head)))
            before = time.process_time()
            if events[-1].recorded_at > stands:
                stands = events[-1].recorded_at
                await ledger.set_clock(stands)
            asked = time.perf_counter()
            accepted = await asyncio.gather(*(ledger.append(_submission(event)) for event in events))
            took.append(time.perf_counter() - asked)
            cpu += time.process_time() - before
            head = max(one.placed[0].position for one in accepted)
            appended += len(events)
            if appended - looked_at >= LOOK_EVENTS:
                looked_at = appended
                while (await standing(owner)).behind > LEAD:  # noqa: ASYNC110 - other processes
                    await asyncio.sleep(LOOK_SECONDS)
    finally:
        await ledger.close()
        await owner.close()
    return Wrote(written + appended, head, appended, cpu, statistics.median(took) * 1e3 if took else 0.0)


def _submission(event: Written) -> Submission:
    entry = Entry(event.event_id, event.type, event.body)
    append = Append(event.stream, event.version - 1, event.home, (entry,))
    return Submission(event.command_id, b"m" * 32, (append,))
