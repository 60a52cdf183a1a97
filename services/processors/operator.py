"""What an operator sees of parked keys, and how one is asked to go on.

Raises LocalProblem where the database is not there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from projections.sql import named_queries
from services.database.lost import LOST
from services.local_problem import LocalProblem
from services.processors.errors import named

SQL = named_queries("services.processors", "operator.sql")
LOOK_SECONDS = 0.2
CONNECT_SECONDS = 10.0


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

    def cannot_take(self, position: int) -> bool:
        """Whether this is the position that it could not take when it was tried last."""
        return self.why.startswith(f"position {position}: ")


async def parked_keys(dsn: str) -> list[ParkedKey]:
    """All of them, the longest waiting first."""
    async with _connected(dsn) as connection:
        return [ParkedKey(*row) for row in await connection.fetch(SQL["list"])]


async def ask_to_resume(dsn: str, place: str, key: str, seconds: float) -> ParkedKey | None:
    """Ask for a key to be tried again, and wait so long for it: None when it went on, else how it stands then.

    Raises LookupError where it is not parked.
    """
    async with _connected(dsn) as connection:
        if await connection.fetchval(SQL["ask"], place, key) is None:
            raise LookupError(key)
        deadline = asyncio.get_running_loop().time() + seconds
        while (row := await connection.fetchrow(SQL["one"], place, key)) is not None:
            stands = ParkedKey(*row)
            if not stands.asked or asyncio.get_running_loop().time() > deadline:
                return stands
            await asyncio.sleep(LOOK_SECONDS)
        return None


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[Any]:
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
        try:
            yield connection
        finally:
            connection.terminate()
    except LOST as error:
        raise LocalProblem(f"The database did not answer ({named(error)}): see `intabaza status`.") from error
