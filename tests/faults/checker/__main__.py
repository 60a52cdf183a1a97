"""Reads everything, judges it, prints what was found."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

from tests.faults.checker import consuming, judging
from tests.faults.checker.deadlines import OVERDUE
from tests.faults.checker.findings import Findings
from tests.faults.checker.left import LIVE, read

REPLAY_SECONDS = 300.0
ROW_DIFFERS = ("missing: ", "surplus: ")
"""How the command names a row; it ends the same way where it could not compare them at all."""


def main() -> int:
    asked = _arguments()
    found = Findings()
    with found.judging("what the run left behind"):
        left = asyncio.run(read(asked.history, asked.ledger))
        left.topics = consuming.read_all_of([row.position for row in left.rows], asked.kafka)
        least = {"faults": asked.faults, "acknowledged": asked.acknowledged, "least_webhooks": asked.webhooks}
        least["least_signs"] = asked.signs
        counts = judging.judge(left, found, **least)
        for name in asked.replay:
            with found.judging(f"whether {name} is what a replay makes of it"):
                _replayed(name, asked.replay_seconds, found)
        print(
            f"{len(left.rows)} events, {len(left.past.acknowledged)} commands acknowledged, "
            f"{len(left.past.faults)} faults, {counts['repeats']} records repeated, {counts['foreign']} foreign, "
            f"{len(left.past.webhooks)} webhooks, {counts['signs']} signs of life that outlived a fault, "
            f"{sum(row.type == OVERDUE for row in left.rows)} answers overdue",
            file=sys.stderr,
        )
    for line in found.lines():
        print(line)
    for sentence in found.not_judged:
        print(f"cannot judge {sentence}", file=sys.stderr)
    return found.status


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
    parser.add_argument("--webhooks", type=int, default=0, help="the least number of alerts that came by webhook")
    parser.add_argument("--signs", type=int, default=0, help="the least number of check-ins that outlived a fault")
    parser.add_argument(
        "--replay", nargs="*", default=LIVE, help="projections to compare with their replay; needs their stack"
    )
    parser.add_argument("--replay-seconds", type=float, default=REPLAY_SECONDS, help="as long as one replay may take")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
