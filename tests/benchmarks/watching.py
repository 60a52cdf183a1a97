"""How fast processes get through a topic, and what that costs them: measured from outside, everybody the same way."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

LOOK_SECONDS = 0.05
STALLED_SECONDS = 60


class Stalled(RuntimeError):
    """A contender ended or stood still before it was through; the message has the end of what it said."""


@dataclass(frozen=True)
class Figure:
    """From the first progress seen to the last."""

    records: int
    seconds: float
    cpu_seconds: float
    resident: int
    held: tuple[tuple[int, int], ...]
    """How much was resident when so many records were done, each time that somebody looked."""

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of the contender's own CPU for a record."""
        return self.cpu_seconds / self.records * 1e6

    @property
    def megabytes(self) -> float:
        return self.resident / 2**20


async def watch(
    pids: Sequence[int], progress: Callable[[], Awaitable[int]], total: int, log: Path | None = None
) -> Figure:
    """Follow processes until `progress` says `total`; the memory is the most that they held."""
    family = [psutil.Process(pid) for pid in pids]
    first: tuple[int, float, float] | None = None
    before, moved_at = 0, time.monotonic()
    held: list[tuple[int, int]] = []
    while True:
        done, now, cpu = await progress(), time.monotonic(), _cpu(family)
        held.append((done, _resident(family)))
        if first is None and done:
            first = done, now, cpu
        if done >= total and first is not None:
            return Figure(done - first[0], now - first[1], cpu - first[2], max(size for _, size in held), tuple(held))
        if done > before:
            before, moved_at = done, now
        if now - moved_at > STALLED_SECONDS or not any(map(_runs, family)):
            raise Stalled(f"stands at {done} of {total}; it said last:\n{_said(log)}")
        await asyncio.sleep(LOOK_SECONDS)


def _runs(one: psutil.Process) -> bool:
    try:
        return one.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _cpu(family: Sequence[psutil.Process]) -> float:
    seconds = 0.0
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            seconds += times.user + times.system
    return seconds


def _resident(family: Sequence[psutil.Process]) -> int:
    size = 0
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            size += one.memory_info().rss
    return size


def _said(log: Path | None) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log is not None and log.exists() else ""


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and from where to where."""
    middle = f"{statistics.median(values):,.{digits}f}"
    return middle + (f" ({min(values):,.{digits}f} to {max(values):,.{digits}f})" if len(values) > 1 else "")
