"""Strikes a stack under load, one fault after the other, by dice of a seed; whoever has the seed can repeat it.

A round: some more commands are acknowledged, a strike falls, what is left to a person is mended, commands are
acknowledged again, and everything that was accepted comes through. A run with fewer faults or acknowledgements than
its floor has proven nothing and fails.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from tests.faults.generator import Generator
from tests.faults.history import History
from tests.faults.strikes import Strike
from tests.faults.verdict import judge
from tests.faults.world import NotCalm, World, say

BETWEEN = 15
"""So many commands more are acknowledged before each strike, and some after it."""
AFTER = 5
PROGRESS_SECONDS = 180.0
ACKNOWLEDGED_A_FAULT = BETWEEN + AFTER
FAULTS_AN_ALERT = 5
"""In so many rounds one alert comes at least: levels change when they change, mostly several times in each."""
FAULTS_A_SIGN = 4
"""And one check-in is taken in so many, which the next fault finds held: first somebody has to be enrolled."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that a run has to have done."""

    faults: int
    acknowledged: int
    webhooks: int
    signs: int

    @classmethod
    def of(cls, faults: int) -> Floor:
        alerts = max(1, faults // FAULTS_AN_ALERT)
        return cls(faults, faults * ACKNOWLEDGED_A_FAULT, alerts, faults // FAULTS_A_SIGN)

    def refuse_less(self, history: History) -> None:
        """Fail for a run that did too little to prove anything."""
        assert len(history.faults) >= self.faults, f"only {len(history.faults)} faults, {self.faults} are the least"
        assert history.acknowledged >= self.acknowledged, (
            f"only {history.acknowledged} commands were acknowledged, {self.acknowledged} are the least"
        )


def drawn(strikes: Sequence[Strike], dice: random.Random) -> Iterator[Strike]:
    """Strikes without end: each of them once in an order by the dice, then again in another."""
    while True:
        yield from dice.sample(strikes, len(strikes))


async def session(world: World, history: History, strikes: Sequence[Strike], seed: int, faults: int) -> None:
    """Load all the time, and so many faults; at its end nothing is unknown and everything has come through."""
    dice = random.Random(seed)
    say(f"Seed {seed}: {faults} faults.")
    load = Generator(world, history, random.Random(dice.getrandbits(64)))
    await load.prepare()
    history.begins(seed, await world.head(), phones=world.phones, log_keys=await world.log_keys())
    await world.subscribe(history)
    began = time.monotonic()
    try:
        async with load.running():
            order = drawn(strikes, dice)
            for number in range(1, faults + 1):
                await _round(world, history, load, next(order), dice, f"{number}/{faults}")
        through = await at_its_end(world, load)
        history.ends(through, through, world.now())
    except AssertionError:
        say(await _judged_as_it_stands(world, history))
        raise
    finally:
        history.close()
    say(
        f"Seed {seed}: {len(history.faults)} faults in {time.monotonic() - began:.0f} s; "
        f"{history.acknowledged} commands acknowledged, {history.outcomes['refused']} refused, "
        f"{history.outcomes['unknown']} answers unknown at first, {history.repeats} told again."
    )
    floor = Floor.of(faults)
    floor.refuse_less(history)
    judged = await judge(world, history.file, **asdict(floor))
    say(f"Seed {seed}: {judged}.")


async def at_its_end(world: World, load: Generator) -> int:
    """How far the ledger is once all has come through, is told and signed, and nothing keeps anything back."""
    await world.calm()
    await load.end_what_keeps_back()
    load.refuse_unknown()
    await world.calm()  # what follows from what was folded only then comes behind it
    return await world.calm(nothing_kept_back=True)


async def _judged_as_it_stands(world: World, history: History) -> str:
    """What the checker finds in a run that broke off: often it is the reason."""
    try:
        await judge(world, history.file)
    except Exception as error:
        return str(error)
    return "The checker finds nothing wrong."


async def _round(
    world: World, history: History, load: Generator, strike: Strike, dice: random.Random, which: str
) -> None:
    try:
        await more(load, history, BETWEEN, f"before {strike.name}")
        began = time.monotonic()
        history.fault(strike.name, await world.acknowledged())
        detail = await strike(world, dice)
        done = await world.stand_up()
        history.mended(strike.name, {**detail, "done": done})
        history.operator(detail.get("wrote", ()), strike.name)
        await more(load, history, AFTER, f"after {strike.name}")
        through = await world.calm()
        history.well(await world.head(), through)
        told = {name: it for name, it in detail.items() if name not in ("put", "wrote", "silenced")}
        say(f"  {which} {strike.name} {told} {' '.join(done)}: well after {time.monotonic() - began:.1f} s")
    except (AssertionError, TimeoutError) as error:
        raise NotCalm(f"Fault {which}, {strike.name}: {type(error).__name__} {error}") from error


async def more(load: Generator, history: History, count: int, when: str) -> None:
    """Wait until so many more commands were acknowledged."""
    wanted = history.acknowledged + count
    deadline = time.monotonic() + PROGRESS_SECONDS
    while history.acknowledged < wanted:
        load.refuse_failure()
        if time.monotonic() > deadline:
            raise NotCalm(f"{when}: not {count} more commands acknowledged within {PROGRESS_SECONDS:g} s")
        await asyncio.sleep(0.02)
