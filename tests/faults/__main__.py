"""`make faults N=1000`: one session after the other, each on a stack of its own under a seed of its own, until so many
faults were struck; a seed that was named is run again alone."""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults.history import History
from tests.faults.nemesis import say, session
from tests.faults.strikes import Strike, clock, every
from tests.faults.strikes.clock import clock_for
from tests.faults.world import a_world

A_SESSION = 50
"""Faults on one stack, before the next one begins anew."""


async def run(faults: int, seeds: list[int], strikes: Sequence[Strike], keep: Path) -> None:
    """Raises what the first session that fails says; its history stays in `keep`."""
    left = faults
    while left > 0:
        seed = seeds.pop(0) if seeds else random.SystemRandom().getrandbits(32)
        history = History(keep / f"history-{seed}.jsonl")
        say(f"{left} faults to go; the history is written to {history.file}.")
        with clock_for(strikes) as moved:
            async with a_world(moved) as world:
                await session(world, history, strikes, seed, min(left, A_SESSION))
        left -= A_SESSION


def names(told: str) -> tuple[Strike, ...]:
    """Strikes by their names."""
    known = {strike.name: strike for strike in (*every(), *clock.STRIKES)}
    asked = told.split(",")
    if unknown := [name for name in asked if name not in known]:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return tuple(known[name] for name in asked)


def main() -> None:
    parser = argparse.ArgumentParser(description="Strikes a stack under load, and judges what came of it.")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, action="append", default=[], help="of the first session; else a new one")
    parser.add_argument("--keep", type=Path, help="where the histories are kept; else a new folder")
    parser.add_argument("--strikes", type=names, default=every(), help="only these, by their names with commas between")
    asked = parser.parse_args()
    keep = asked.keep or Path(tempfile.mkdtemp(prefix="intabaza-faults-"))
    keep.mkdir(parents=True, exist_ok=True)
    asyncio.run(run(asked.faults, asked.seed, asked.strikes, keep))


if __name__ == "__main__":
    main()
