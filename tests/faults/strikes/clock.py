"""The clock of the whole stack is set forwards and back, and the clock of PostgreSQL's machine alone.

Forwards is always beyond the last event, wherever earlier strikes left the clock. Set back, the ledger's time stands
until the clock has caught up, and everything else goes on. A year is more than the ledger believes: nothing is recorded
until a person has confirmed it. These strikes need a stack on a `MovedClock`, in a session of their own: what they do
to the ledger's time stays.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import httpx

from projections.sql import named_queries
from services import clock
from tests.faults.moved import MovedClock, a_moved_clock
from tests.faults.strikes import Strike
from tests.faults.world import World, until

SQL = named_queries("tests.faults.strikes", "clock.sql")

MINUTE, THREE_HOURS, YEAR = timedelta(minutes=1), timedelta(hours=3), timedelta(days=365)
A_DAY = timedelta(days=1)
BELIEVED = timedelta(days=30)
"""A longer jump has to be confirmed."""
COME_SECONDS = 150.0
LATE = timedelta(seconds=2)
"""A clock is moved by whole seconds, and some time goes by until it is."""
LEAST_SECONDS, MOST_SECONDS = 2.0, 4.0


def _moved(world: World) -> MovedClock:
    assert world.moved is not None, "this stack goes by the machine's clock, which nobody may set"
    return world.moved


def _next_day(moment: datetime, zone: str) -> datetime:
    """When the local day after that of a moment begins."""
    return datetime.combine(moment.astimezone(ZoneInfo(zone)).date() + A_DAY, time(), ZoneInfo(zone))


async def _doubted(world: World) -> bool:
    """Whether both APIs say that a clock is in doubt."""
    async with httpx.AsyncClient(timeout=10) as client:
        for number in (1, 2):
            not_ready = (await client.get(f"{world.api(number)}/readyz")).json()["not_ready"]
            if "clock" not in not_ready.get("appends", ""):
                return False
    return True


async def _recorded(world: World, after: int, since: datetime) -> bool:
    """Whether something came after a position, at this time of the ledger or later."""
    (row,) = await world.rows(SQL["since"], after)
    return row["last"] is not None and row["last"] >= since


async def _ticks_in_order(world: World) -> int:
    """Each tick names a later moment than the one before, and none that had not come."""
    ticks = await world.rows(SQL["ticks"])
    for before, tick in pairwise(ticks):
        assert before["nominal"] < tick["nominal"], f"the ticks at {before['position']} and {tick['position']}"
    for tick in ticks:
        assert tick["nominal"] <= tick["recorded_at"], f"the tick at {tick['position']} is of a moment to come"
    return len(ticks)


@dataclass(frozen=True, slots=True)
class Forwards:
    """Set it forwards, so far past the last event; and back again, where it is not to stay."""

    by: timedelta
    called: str
    and_back: bool = False

    @property
    def name(self) -> str:
        return f"clock_forwards_{self.called}{'_and_back' if self.and_back else ''}"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        moved, head = _moved(world), await world.head()
        last = await world.value(SQL["last"])
        wanted = last + self.by
        if last - (clock.now() + moved.ahead) > A_DAY:
            # It was there before and was set back. What is held of the days between waits for the next midnight, since
            # signs of one day make one go: so it goes to a day that it has not seen.
            wanted = max(wanted, _next_day(last, world.stack.settings.zone) + THREE_HOURS)
        moved.move(wanted - clock.now())
        world.forget_tokens()
        if self.by > BELIEVED:
            await until("nobody doubts the clock", lambda: _doubted(world), COME_SECONDS)
            await world.command("clock", "accept", "--yes")
        await until("nothing was recorded at the new time", lambda: _recorded(world, head, wanted - LATE), COME_SECONDS)
        ahead = moved.ahead
        if self.and_back:
            await asyncio.sleep(dice.uniform(LEAST_SECONDS, MOST_SECONDS))  # so long it was wrong
            await self._back(world, moved)
        return {"ahead": str(ahead), "ticks": await _ticks_in_order(world)}

    async def _back(self, world: World, moved: MovedClock) -> None:
        moved.move(moved.ahead - self.by)
        world.forget_tokens()
        head, last = await world.head(), await world.value(SQL["last"])
        await until("nothing was recorded after it was set back", lambda: _recorded(world, head, last), COME_SECONDS)
        (row,) = await world.rows(SQL["since"], head)
        assert row["last"] - last < self.by / 2, f"the ledger's time went from {last} to {row['last']}"


@dataclass(frozen=True, slots=True)
class PostgresAlone:
    """The database's machine alone is three hours ahead or behind, until somebody sets its clock right."""

    name: str = "clock_of_postgres_alone"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        moved = _moved(world)
        before = await world.value(SQL["last"])
        by = THREE_HOURS * dice.choice((1, -1))
        moved.move(moved.ahead, by)
        try:
            await until("nobody doubts the clock", lambda: _doubted(world), COME_SECONDS)
            await asyncio.sleep(dice.uniform(LEAST_SECONDS, MOST_SECONDS))  # so long it was wrong
            last = await world.value(SQL["last"])
            assert last - before < THREE_HOURS / 2, f"the ledger's time went from {before} to {last}"
        finally:
            moved.move(moved.ahead)
        return {"by": str(by)}


STRIKES: tuple[Strike, ...] = (
    Forwards(MINUTE, "a_minute"),
    Forwards(MINUTE, "a_minute", and_back=True),
    Forwards(THREE_HOURS, "three_hours"),
    Forwards(THREE_HOURS, "three_hours", and_back=True),
    Forwards(YEAR, "a_year"),
    Forwards(YEAR, "a_year", and_back=True),
    PostgresAlone(),
)


@contextmanager
def clock_for(strikes: Iterable[Strike]) -> Iterator[MovedClock | None]:
    """The clock of a session of these strikes: the machine's own, where none of them moves it."""
    if not any(strike in STRIKES for strike in strikes):
        yield None
        return
    with a_moved_clock() as moved:
        yield moved
