"""One size after the other: let the history grow, and measure what the last fifth of it cost and all of it takes.

The folder remembers what was measured, so that an interrupted run goes on and a longer one adds to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.growth.costs import ALL_OF_POSTGRES, ITSELF, in_postgres
from tests.benchmarks.growth.reading import answers
from tests.benchmarks.growth.sizes import on_disk, resident_mb
from tests.benchmarks.growth.stack import GrowingStack, Started, growing_stack
from tests.benchmarks.growth.standing import NAMES, SQL, settled
from tests.benchmarks.growth.writing import MANY_CALLERS

REMEMBERED = "growth.json"
GROWN_BEFORE = 0.8
"""This share of a step comes before what is measured: what an event costs at this size, not on the way there."""
EVENTS_A_CASE = 21
REFOLDING = "intabaza refolding"

Tell = Callable[[str], None]


@dataclass
class Column:
    """What was measured at one size."""

    wanted: int
    events: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    load: float = 0.0
    """How many processes of the machine wanted to run, in the five minutes before its end."""


@dataclass
class Remembered:
    """What a folder knows of earlier runs."""

    written: int = 0
    columns: list[Column] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> Remembered:
        if not (file := folder / REMEMBERED).exists():
            return cls()
        saved = json.loads(file.read_text())
        return cls(saved["written"], [Column(**one) for one in saved["columns"]])

    def save(self, folder: Path) -> None:
        saved = {"written": self.written, "columns": [vars(one) for one in self.columns]}
        (folder / REMEMBERED).write_text(json.dumps(saved, indent=1))


@dataclass(frozen=True)
class Plan:
    """At which sizes to measure, for how long to grow to each at most and to repeat each request, what to replay, and
    at which of the sizes to start again (None: at each)."""

    sizes: Sequence[int]
    seconds: float
    read_seconds: float
    replayed: Sequence[str] = tuple(NAMES)
    started_at: Sequence[int] | None = None


async def grow(folder: Path, plan: Plan, tell: Tell) -> list[Column]:
    """Grow to each size, and measure."""
    remembered = Remembered.of(folder)
    async with growing_stack(folder, remembered.written) as grown:
        for size in plan.sizes:
            if any(one.wanted == size for one in remembered.columns):
                continue
            column = Column(size)
            await _grow_to(grown, column, remembered, plan.seconds, tell)
            await _fold_again(grown, column, plan.replayed, tell)
            if plan.started_at is None or size in plan.started_at:
                await _start_again(grown, column, tell)
            await _ask(grown, column, plan.read_seconds, tell)
            remembered.columns.append(column)
            remembered.save(folder)
    return remembered.columns


async def _grow_to(grown: GrowingStack, column: Column, remembered: Remembered, seconds: float, tell: Tell) -> None:
    began = time.monotonic()
    wrote = await grown.write(int(column.wanted * GROWN_BEFORE), seconds * GROWN_BEFORE, MANY_CALLERS)
    remembered.written = wrote.written
    known = await grown.owner.fetchval(SQL["reports_known"])
    if (more := wrote.head // EVENTS_A_CASE - known) > 0:
        await grown.owner.execute(SQL["fill_the_vault"].replace("$1", str(more)))
    before = await settled(grown.owner)
    tell(f"{before.head:,} events after {time.monotonic() - began:,.0f} s; now what an event costs")
    until = min(column.wanted, round(before.head / GROWN_BEFORE))
    measured, log = time.monotonic(), await _log_written(grown)
    async with grown.costs().watched() as used:
        wrote = await grown.write(until, seconds * (1 - GROWN_BEFORE))
        after = await settled(grown.owner)
    took = time.monotonic() - measured
    logged = [now - then for now, then in zip(await _log_written(grown), log, strict=True)]
    remembered.written = wrote.written
    column.events, column.load = after.head, os.getloadavg()[1]
    events, records = after.head - before.head, after.sent - before.sent
    assert events > 0, f"nothing was appended up to {column.wanted:,}: the stack holds more already"

    def each(name: str, of: int = events) -> float:
        return used.get(name, 0.0) / of * 1e6

    appended = max(wrote.appended, 1)
    column.figures |= {
        "all the way, events/s": events / took,
        "records a event": records / events,
        "append: writer, µs": wrote.appending_cpu / appended * 1e6,
        "append: PostgreSQL, µs": each(in_postgres("writer"), appended),
        "append: 256 callers answered, p50, ms": wrote.group_ms,
        "relay: its process, µs": each("relay"),
        "relay: PostgreSQL, µs": each(in_postgres("relay")),
        "Kafka, µs": each("kafka"),
        "live projections: their process, µs": each("processors", records),
        "live projections: PostgreSQL, µs": each(in_postgres("processors"), records),
        "PostgreSQL beside sessions, µs": each(ITSELF),
        "write-ahead log, bytes/event": logged[0] / events,
        "write-ahead log, whole pages/event": logged[1] / events,
        "all of it, µs": sum(each(name) for name in ("relay", "kafka", "processors", ALL_OF_POSTGRES))
        + wrote.appending_cpu / appended * 1e6,
    }
    column.figures |= {f"resident, {name}, MB": size for name, size in resident_mb(grown.names()).items()}
    disk = await on_disk(grown.owner, grown.stack.folder)
    column.figures |= {f"disk, {name}, bytes/event": size / after.head for name, size in disk.items()}
    tell(f"{after.head:,} events: {events / took:,.0f} a second all the way")


async def _log_written(grown: GrowingStack) -> tuple[float, float]:
    (row,) = await grown.owner.fetch(SQL["log_written"])
    return row["bytes"], row["pages"]


async def _fold_again(grown: GrowingStack, column: Column, names: Sequence[str], tell: Tell) -> None:
    """`intabaza replay` of each projection, by two processes, its digest included."""
    records = (await settled(grown.owner)).sent
    for name in names:
        began, before = time.monotonic(), _of_children()
        async with grown.costs().watched() as used:
            process = await asyncio.to_thread(grown.stack.command, "replay", name, "--processes", "2")
        assert process.returncode == 0, process.stderr
        took, cpu = time.monotonic() - began, _of_children() - before
        column.figures[f"replay of {name}: its processes, µs"] = cpu / records * 1e6
        column.figures[f"replay of {name}: PostgreSQL, µs"] = used.get(in_postgres(REFOLDING), 0.0) / records * 1e6
        column.figures[f"replay of {name}, records/s"] = records / took
        tell(f"replayed {name}: {records / took:,.0f} records a second")


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _start_again(grown: GrowingStack, column: Column, tell: Tell) -> None:
    """After an orderly end, and after everything was killed at once."""
    began = time.monotonic()
    await grown.end()
    column.figures["down, s"] = time.monotonic() - began
    column.figures |= _of_a_start("start", await grown.start())
    await grown.kill()
    column.figures |= _of_a_start("start after kills", await grown.start())
    tell(f"started again: up after {column.figures['start: up, s']:.1f} s")


def _of_a_start(what: str, started: Started) -> dict[str, float]:
    figures = {f"{what}: up, s": started.up, f"{what}: an event folded everywhere, s": started.working}
    figures |= {f"{what}: {name} ready, s": seconds for name, seconds in started.each.items()}
    return figures | {f"{what}: {name}, s of CPU": seconds for name, seconds in started.cpu.items()}


async def _ask(grown: GrowingStack, column: Column, seconds: float, tell: Tell) -> None:
    column.figures |= await answers(grown, seconds)
    await settled(grown.owner)
    tell("asked the API")
