"""The plan, moment by moment: the ledger's clock is set, its tick awaited, then people act, those apart at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from services import clock
from services.demo.acts import Act
from services.demo.door import Door
from services.demo.story import Plan, spoken_of
from services.ledger.ledger import LedgerError
from services.ledger.postgres import PostgresLedger

AT_ONCE = 16
"""Chains of acts that go on beside each other."""
TICK_SECONDS = 60.0
CLOCK_STREAM = "reference/clock"


class ClockStopped(Exception):
    """The relay did not tick, so time would pass that nobody recorded."""


class SimulatedClock:
    """Sets the ledger's clock forward, as only a scenario may."""

    def __init__(self, ledger: PostgresLedger) -> None:
        self._ledger = ledger
        self._ticks = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, app_dsn: str) -> AsyncIterator[SimulatedClock]:
        ledger = await PostgresLedger.connect(app_dsn, clock.now)
        try:
            yield cls(ledger)
        finally:
            await ledger.close()

    async def set(self, moment: datetime) -> None:
        """Set it and wait until the tick of this moment is recorded; raises ClockStopped."""
        head = (await self._ledger.head()).position
        await self._ledger.set_clock(moment)
        try:
            async with asyncio.timeout(TICK_SECONDS):
                while True:
                    await self._ledger.wait_for(head + 1, TICK_SECONDS)
                    head = (await self._ledger.head()).position
                    ticks = await self._ledger.read_stream(CLOCK_STREAM, self._ticks)
                    if ticks:
                        self._ticks = ticks[-1].version
                    if ticks and ticks[-1].recorded_at >= moment:
                        return
        except TimeoutError:
            raise ClockStopped(f"The clock was set to {moment:%Y-%m-%d %H:%M} and nothing ticked.") from None


@dataclass
class Playing:
    """How far a play is; whoever shows it looks here."""

    plan: Plan
    door: Door
    now: datetime
    done: int = 0
    told: deque[Act] = field(default_factory=lambda: deque(maxlen=80))
    """What was done last about cases."""
    position: int = 0
    """The last position that was acknowledged."""
    ended: bool = False
    left_out: list[str] = field(default_factory=list)
    """Acts that could not be sent, since what they speak of was refused."""


async def play(playing: Playing, clock: SimulatedClock, moved: Callable[[], None] = lambda: None) -> None:
    """Do everything that is planned. Raises ClockStopped, NoAnswer or LedgerError."""
    gate = asyncio.Semaphore(AT_ONCE)
    for moment, acts in playing.plan.moments.items():
        await clock.set(moment)
        playing.now = moment
        await asyncio.gather(*(_chain(playing, chain, gate) for chain in _chains(acts)))
        moved()
    playing.ended = True


def _chains(acts: Sequence[Act]) -> Sequence[Sequence[Act]]:
    chains: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        chains[act.chain].append(act)
    return list(chains.values())


async def _chain(playing: Playing, acts: Sequence[Act], gate: asyncio.Semaphore) -> None:
    async with gate:
        for act in acts:
            if not all(one in playing.door.made for one in spoken_of(act)):
                playing.left_out.append(act.name)
                continue
            position = await playing.door.send(act)
            playing.done += 1
            if position is not None and str(act.address[0]).startswith("/v1/cases"):
                playing.told.append(act)
            playing.position = max(playing.position, position or 0)


__all__ = ["ClockStopped", "LedgerError", "Playing", "SimulatedClock", "play"]
