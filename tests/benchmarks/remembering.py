"""The memory of a processor as the log goes by: it must not grow with what it has folded."""

from __future__ import annotations

import asyncio
import statistics

from rich.console import Console
from rich.table import Table

from projections.live import LIVE
from tests.benchmarks.projecting import run_ours
from tests.benchmarks.servers import servers

PER_DAY = 1_000
"""A case weighs something for up to a hundred days: of a million events, that is the first tenth."""


def compare(events: int) -> None:
    """One processor with every live projection; the median of what was resident around each tenth of the log."""
    names = [one.name for one in LIVE]
    with servers() as running:
        running.fill(events, PER_DAY)
        records = running.records()
        held = asyncio.run(run_ours(running, records, names, 1)).held
    table = Table("of the log", "resident MB", title=f"one processor, {records:,} records, {', '.join(names)}")
    sizes = []
    for tenth in range(1, 11):
        around = sorted(held, key=lambda each: abs(each[0] - tenth * records / 10))[: max(1, len(held) // 10)]
        sizes.append(statistics.median(size for _, size in around))
        table.add_row(f"{tenth} tenths", f"{sizes[-1] / 2**20:,.0f}")
    Console(width=120).print(table)
    print(f"{sizes[-1] / sizes[0] - 1:+.1%} for ten times the events; mark: within 10 %")
