"""A run is judged by the checker, a process of its own that imports nothing of ours."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from projections.sql import named_queries
from services.settings import child_environment
from tests.faults.world import World

SQL = named_queries("tests.faults", "verdict.sql")
JUDGED_WITHIN_SECONDS = 600
FINDINGS_SHOWN = 10
NOT_JUDGED = 2
"""How the checker ends where it found nothing and could not look everywhere."""
FOUND = ".found"
"""What the checker found stands beside the history, in a file of this suffix."""
ROOT = Path(__file__).parents[2]


async def judge(world: World, history: Path, **least: int) -> str:
    """Fail for whatever the checker finds, or where less was done than is the least; returns what was counted."""
    command = [sys.executable, "-m", "tests.faults.checker", "--history", str(history), "--ledger", world.dsn()]
    command += [
        "--kafka",
        world.bootstrap,
        *(word for name, many in least.items() for word in (f"--{name}", str(many))),
    ]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=ROOT,
        env=child_environment(world.stack.settings) | dict(world.stack.extra),
        capture_output=True,
        text=True,
        timeout=JUDGED_WITHIN_SECONDS,
    )
    found = done.stdout.splitlines()
    history.with_suffix(FOUND).write_text(done.stdout, "utf-8")
    assert done.returncode != NOT_JUDGED, f"The checker could not judge {history}:\n{done.stderr}"
    assert done.returncode == 0, f"The checker found {len(found)} faults in {history}:\n" + "\n".join(
        [*found[:FINDINGS_SHOWN], done.stderr]
    )
    levels, alerts, ticks = await _made_by_the_stack(world)
    assert min(levels, alerts) > 0, "no level ever changed or no alert was issued: the load proves too little"
    return f"{done.stderr.strip()}; {levels} changes of level, {alerts} alerts, {ticks} ticks"


async def _made_by_the_stack(world: World) -> tuple[int, int, int]:
    (row,) = await world.rows(SQL["made_by_the_stack"])
    return row["levels"], row["alerts"], row["ticks"]
