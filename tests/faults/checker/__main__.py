"""Reads everything, judges it, prints what was found."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
from kafka.errors import KafkaError

from tests.faults.checker import consuming, history, ledger, levels, said, tables, topics
from tests.faults.checker.findings import Findings

PROJECTIONS = ("alert_level", "case_timeline", "case_board", "review_queue", "referral_board")
REPLAY_SECONDS = 300


def main() -> int:
    asked = _arguments()
    try:
        found, told = asyncio.run(_judge(asked))
    except (OSError, ValueError, KeyError, asyncpg.PostgresError, KafkaError, consuming.Unreadable) as error:
        print(f"cannot judge: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(told, file=sys.stderr)
    for line in found.lines():
        print(line)
    return 1 if found.counts else 0


async def _judge(asked: argparse.Namespace) -> tuple[Findings, str]:
    found = Findings()
    past = history.read(asked.history)
    history.judge(past, found, faults=asked.faults, acknowledged=asked.acknowledged)
    connection = await asyncpg.connect(asked.ledger)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            rows = await ledger.read(connection)
            lines = await connection.fetch(said.HISTORY)
            held = await tables.read(connection)
    finally:
        await connection.close()
    ledger.judge(rows, past, found)
    there = consuming.read_all_of([row.position for row in rows], asked.kafka)
    counts = topics.judge(there, rows, past, found)
    said.judge(rows, lines, found)
    levels.judge(rows, found)
    tables.judge(rows, held, found)
    for name in asked.replay:
        _replayed(name, found)
    return found, (
        f"{len(rows)} events, {len(past.acknowledged)} commands acknowledged, {len(past.faults)} faults, "
        f"{counts['repeats']} records repeated, {counts['foreign']} foreign"
    )


def _replayed(name: str, found: Findings) -> None:
    """A command, and no import: what it folds is judged by nobody here, only that live and replay agree."""
    command = [sys.executable, "-m", "services.cli", "replay", name, "--diff", "--processes", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=REPLAY_SECONDS)
    if done.returncode:
        found.add("projection_differs", f"{name}: {(done.stdout + done.stderr).strip()[-800:]}")


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
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
