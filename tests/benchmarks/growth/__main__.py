"""`make bench GROW=1`, or `python -m tests.benchmarks.growth --sizes 10000 100000 --folder DIR`.

With a folder, the stack and its figures stay there, and a later run goes on from them.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
from pathlib import Path

from tests.benchmarks.growth.growing import Plan, grow
from tests.benchmarks.growth.standing import NAMES
from tests.benchmarks.growth.table import show
from tests.conftest import server_folder

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
SECONDS = 600.0
READ_SECONDS = 2.0


def main() -> None:
    """Grow, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth", description="Figures as history grows.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="events in the ledger at which to measure")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long growing to one size may take")
    parser.add_argument("--read-seconds", type=float, default=READ_SECONDS, help="how long each request is repeated")
    parser.add_argument("--replay", nargs="*", choices=NAMES, default=NAMES, help="projections to fold again")
    parser.add_argument("--folder", type=Path, help="where the stack stands, and stays")
    said = parser.parse_args()
    folder = said.folder or server_folder()
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        plan = Plan(said.sizes, said.seconds, said.read_seconds, said.replay)
        show(asyncio.run(grow(folder, plan, lambda text: print(text, flush=True))))
    finally:
        if said.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
