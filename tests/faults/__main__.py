"""`make faults N=1000`: one session after the other, each on a stack of its own under a seed of its own, until so many
faults were struck; a seed that was named is run again alone."""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from tests.faults.history import History
from tests.faults.nemesis import session
from tests.faults.strikes import Strike, clock, every, storage_lost
from tests.faults.strikes.clock import clock_for
from tests.faults.world import a_world, say

A_SESSION = 50
"""Faults on one stack, before the next one begins anew."""
OF_THE_CLOCK = 14
"""The same where the clock is set: each of them may take the ledger a year on."""
EVERY_FOURTH = 4


def planned(faults: int, asked: Sequence[Strike] | None) -> Iterator[tuple[Sequence[Strike], int]]:
    """Which strikes fall in each session, and how many; every fourth session is of the clock, unless some were asked
    for."""
    for number in count(1):
        if faults <= 0:
            return
        of_the_clock = asked is None and number % EVERY_FOURTH == 0
        many = min(faults, OF_THE_CLOCK if of_the_clock else A_SESSION)
        yield clock.STRIKES if of_the_clock else asked or (*every(), *storage_lost.STRIKES), many
        faults -= many


async def run(faults: int, seeds: list[int], asked: Sequence[Strike] | None, keep: Path) -> None:
    """Raises what the first session that fails says; its history stays in `keep`."""
    left = faults
    for strikes, many in planned(faults, asked):
        seed = seeds.pop(0) if seeds else random.SystemRandom().getrandbits(32)
        history = History(keep / f"history-{seed}.jsonl")
        say(f"{left} faults to go; the history is written to {history.file}.")
        with clock_for(strikes) as moved:
            async with a_world(moved) as world:
                await session(world, history, strikes, seed, many)
        left -= many


def names(told: str) -> tuple[Strike, ...]:
    """Strikes by their names, or all whose names begin with a word: `clock`, `kill`, `freeze_api`."""
    known = {strike.name: strike for strike in (*every(), *storage_lost.STRIKES, *clock.STRIKES)}
    found: dict[str, Strike] = {}
    for asked in told.split(","):
        those = [asked] if asked in known else [name for name in known if name.startswith(f"{asked}_")]
        if not those:
            raise argparse.ArgumentTypeError(f"there is no {asked}; there are {', '.join(sorted(known))}")
        found |= {name: known[name] for name in those}
    return tuple(found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description="Strikes a stack under load, and judges what came of it.")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, action="append", default=[], help="of the first session; else a new one")
    parser.add_argument("--keep", type=Path, help="where the histories are kept; else a new folder")
    parser.add_argument("--strikes", type=names, help="only these, by their names with commas between")
    asked = parser.parse_args()
    keep = asked.keep or Path(tempfile.mkdtemp(prefix="intabaza-faults-"))
    keep.mkdir(parents=True, exist_ok=True)
    asyncio.run(run(asked.faults, asked.seed, asked.strikes, keep))


if __name__ == "__main__":
    main()
