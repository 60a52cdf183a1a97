"""What an operator sees of parked keys, and how one is asked to go on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from projections.sql import named_queries

SQL = named_queries("services.processors", "operator.sql")
LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """A key that takes nothing; `why` begins with the position that it could not take."""

    place: str
    key: str
    partition: int
    position: int
    why: str
    parked_at: datetime
    asked: bool


async def parked_keys(dsn: str) -> list[ParkedKey]:
    """All of them, the longest waiting first."""
    connection = await asyncpg.connect(dsn)
    try:
        return [ParkedKey(*row) for row in await connection.fetch(SQL["list"])]
    finally:
        await connection.close()


async def ask_to_resume(dsn: str, place: str, key: str, seconds: float) -> ParkedKey | None:
    """Ask for a key to be tried again, and wait so long for it: None when it went on, else how it stands then.

    Raises LookupError where it is not parked.
    """
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval(SQL["ask"], place, key) is None:
            raise LookupError(key)
        deadline = asyncio.get_running_loop().time() + seconds
        while (row := await connection.fetchrow(SQL["one"], place, key)) is not None:
            stands = ParkedKey(*row)
            if not stands.asked or asyncio.get_running_loop().time() > deadline:
                return stands
            await asyncio.sleep(LOOK_SECONDS)
        return None
    finally:
        await connection.close()
