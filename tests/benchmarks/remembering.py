"""The memory of a processor, after many events and after a tenth of them: it must not grow with the log."""

from __future__ import annotations

import asyncio

from rich.console import Console
from rich.table import Table

from services.processors.live import LIVE
from tests.benchmarks.projecting import run_ours
from tests.benchmarks.servers import servers
from tests.benchmarks.watching import Figure

PER_DAY = 1_000
"""A case weighs something for up to a hundred days, so both histories are longer than that."""


def compare(events: int) -> None:
    """Both on servers of their own, with every live projection; the most that was held."""
    names = [one.name for one in LIVE]
    figures: list[tuple[int, Figure]] = []
    for number in (events // 10, events):
        with servers() as running:
            running.fill(number, PER_DAY)
            figures.append((number, asyncio.run(run_ours(running, running.records(), names, 1))))
    table = Table("events", "resident MB", title=f"one processor with {', '.join(names)}")
    for number, figure in figures:
        table.add_row(f"{number:,}", f"{figure.megabytes:,.0f}")
    Console(width=120).print(table)
    (_, few), (_, many) = figures
    print(f"{many.resident / few.resident - 1:+.1%} for ten times the events; mark: within 10 %")
