"""Reads everything, judges it, prints what was found."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.faults.checker import consuming, history, ledger, levels, said, tables, topics
from tests.faults.checker.findings import Findings
from tests.faults.checker.history import Past
from tests.faults.checker.ledger import Row
from tests.faults.checker.records import Topics

PROJECTIONS = ("alert_level", "case_timeline", "case_board", "review_queue", "referral_board")
REPLAY_SECONDS = 300.0
ROW_DIFFERS = ("missing: ", "surplus: ")
"""How the command names a row; it ends the same way where it could not compare them at all."""


def main() -> int:
    asked = _arguments()
    found = Findings()
    with found.judging("what the run left behind"):
        left = asyncio.run(_left(asked))
        _judge(asked, left, found)
    for line in found.lines():
        print(line)
    for sentence in found.not_judged:
        print(f"cannot judge {sentence}", file=sys.stderr)
    return found.status


@dataclass(frozen=True)
class Left:
    """All that a run left behind."""

    past: Past
    rows: list[Row]
    levels: list[asyncpg.Record]
    held: tables.Held
    topics: Topics


async def _left(asked: argparse.Namespace) -> Left:
    past = history.read(asked.history)
    connection = await asyncpg.connect(asked.ledger)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            rows = await ledger.read(connection)
            lines = list(await connection.fetch(said.HISTORY))
            held = await tables.read(connection)
    finally:
        await connection.close()
    return Left(past, rows, lines, held, consuming.read_all_of([row.position for row in rows], asked.kafka))


def _judge(asked: argparse.Namespace, left: Left, found: Findings) -> None:
    rows, past = left.rows, left.past
    with found.judging("the history"):
        history.judge(past, found, faults=asked.faults, acknowledged=asked.acknowledged)
    with found.judging("the ledger"):
        ledger.judge(rows, past, found)
    counts = {"repeats": 0, "foreign": 0}
    with found.judging("the topics"):
        counts = topics.judge(left.topics, rows, past, found)
    with found.judging("what the system says by itself"):
        said.judge(rows, left.levels, found)
    with found.judging("the levels"):
        levels.judge(rows, found)
    with found.judging("the tables"):
        tables.judge(rows, left.held, found)
    for name in asked.replay:
        with found.judging(f"whether {name} is what a replay makes of it"):
            _replayed(name, asked.replay_seconds, found)
    print(
        f"{len(rows)} events, {len(past.acknowledged)} commands acknowledged, {len(past.faults)} faults, "
        f"{counts['repeats']} records repeated, {counts['foreign']} foreign",
        file=sys.stderr,
    )


class NotReplayed(Exception):
    """The command ended before it could compare anything."""


def _replayed(name: str, seconds: float, found: Findings) -> None:
    """A command, and no import: what it folds is judged by nobody here, only that live and replay agree."""
    command = [sys.executable, "-m", "services.cli", "replay", name, "--diff", "--processes", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    if not done.returncode:
        return
    told = f"{name}: {(done.stdout + done.stderr).strip()[-800:]}"
    if not any(line.startswith(ROW_DIFFERS) for line in done.stdout.splitlines()):
        raise NotReplayed(told)
    found.add("projection_differs", told)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.checker", description=__doc__)
    parser.add_argument("--history", type=Path, required=True)
    parser.add_argument("--ledger", required=True, help="where the ledger and the tables are; a superuser reads them")
    parser.add_argument("--kafka", required=True, help="where the broker listens")
    parser.add_argument("--faults", type=int, default=0, help="the least number of faults")
    parser.add_argument("--acknowledged", type=int, default=0, help="the least number of acknowledged commands")
    parser.add_argument(
        "--replay", nargs="*", default=PROJECTIONS, help="projections to compare with their replay; needs their stack"
    )
    parser.add_argument("--replay-seconds", type=float, default=REPLAY_SECONDS, help="as long as one replay may take")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
