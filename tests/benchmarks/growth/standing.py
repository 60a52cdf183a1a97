"""How far everything is: the ledger, the relay, the projections."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import asyncpg

from projections.live import LIVE
from projections.sql import named_queries

SQL = named_queries("tests.benchmarks.growth", "standing.sql")
NAMES = [one.name for one in LIVE]
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Standing:
    """Events in the ledger, events that Kafka has acknowledged, records that it holds, records folded everywhere."""

    head: int
    acknowledged: int
    sent: int
    folded: int

    @property
    def behind(self) -> int:
        """How much is still to be done for what was appended."""
        return max(self.head - self.acknowledged, self.sent - self.folded)


async def standing(owner: asyncpg.Connection[asyncpg.Record]) -> Standing:
    """One look."""
    row = await owner.fetchrow(SQL["standing"], NAMES)
    assert row is not None
    return Standing(**row)


async def settled(owner: asyncpg.Connection[asyncpg.Record], seconds: float = 600) -> Standing:
    """Wait until everything that was appended, and what follows from it, is folded everywhere."""
    async with asyncio.timeout(seconds):
        while (now := await standing(owner)).behind:  # noqa: ASYNC110 - other processes
            await asyncio.sleep(LOOK_SECONDS)
    return now
