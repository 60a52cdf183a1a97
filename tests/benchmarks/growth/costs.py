"""Who used how much CPU: each process, and in PostgreSQL each process's sessions.

The machine is shared with others, and what something costs in CPU moves far less with that than how long it takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
import psutil

from tests.benchmarks.growth.standing import SQL

LOOK_SECONDS = 0.5
ITSELF = "postgres itself"
ALL_OF_POSTGRES = "postgres"


def in_postgres(name: str) -> str:
    """What the sessions of a process are called."""
    return f"postgres for {name}"


class Costs:
    """Seconds of CPU by name, from when each process began; `names` says which process is which."""

    def __init__(self, owner: asyncpg.Connection[asyncpg.Record], names: Mapping[int, str]) -> None:
        self._owner = owner
        self._names = names
        self._whose: dict[int, str] = {}
        self._used: dict[int, float] = {}
        self._looking = asyncio.Lock()

    async def look(self) -> dict[str, float]:
        """What everybody has used until now. A session that has ended keeps what it had at the last look."""
        async with self._looking:
            sessions = await self._owner.fetch(SQL["sessions"])
            if any(row["pid"] not in self._whose for row in sessions):
                ports = self._ports()
                for row in sessions:
                    self._whose.setdefault(row["pid"], self._name(row, ports))
            for row in sessions:
                if (used := _seconds(row["pid"])) is not None:
                    self._used[row["pid"]] = used
        total: dict[str, float] = {}
        for pid, used in self._used.items():
            total[self._whose[pid]] = total.get(self._whose[pid], 0.0) + used
        for pid, name in self._names.items():
            if name != ALL_OF_POSTGRES:
                total[name] = _seconds(pid) or 0.0
        everything = self._postgres()
        total[ALL_OF_POSTGRES] = everything
        total[ITSELF] = everything - sum(used for pid, used in self._used.items() if self._whose[pid] != ITSELF)
        return total

    def _name(self, row: asyncpg.Record, ports: Mapping[int, str]) -> str:
        if row["backend_type"] != "client backend":
            return ITSELF
        return in_postgres(ports.get(row["client_port"], row["application_name"] or "others"))

    def _ports(self) -> dict[int, str]:
        found: dict[int, str] = {}
        for pid, name in self._names.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                found |= {one.laddr.port: name for one in psutil.Process(pid).net_connections("tcp4") if one.raddr}
        return found

    def _postgres(self) -> float:
        """The postmaster, those whose end it has seen, and those that run."""
        postmaster = next(pid for pid, name in self._names.items() if name == ALL_OF_POSTGRES)
        family = psutil.Process(postmaster)
        times = family.cpu_times()
        ended = times.user + times.system + times.children_user + times.children_system
        return ended + sum(_seconds(child.pid) or 0.0 for child in family.children())

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[dict[str, float]]:
        """What was used meanwhile, once it is over."""
        used: dict[str, float] = {}
        before = await self.look()
        looking = asyncio.create_task(self._look_again_and_again())
        try:
            yield used
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        after = await self.look()
        used |= {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()


def _seconds(pid: int) -> float | None:
    """By the process's own clock, in nanoseconds: `cpu_times` counts hundredths, and a short piece of work has none."""
    try:
        return time.clock_gettime(_clock_of(pid))
    except OSError:
        return None


def _clock_of(pid: int) -> int:
    """What `clock_getcpuclockid` gives for it on Linux, which Python does not offer."""
    return (~pid << 3) | 2
