"""The projections' tables, read only, as the role intabaza_app."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from projections.projection import Projection
from services.api.problems import READS_AWAY, Refused

ANSWER_SECONDS = 10.0

MARKS = """
select partition, case when count(*) = cardinality($1::text[]) then min(last_position) else 0 end as folded
from projections.watermark where place = any ($1::text[]) group by partition
"""
"""How far the projection that is furthest behind has come in each partition."""

AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Projections:
    """Reads the live projections. A schema of each is on the search path, so that a swap goes unnoticed."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], names: Sequence[str]) -> None:
        self._pool = pool
        self._names = list(names)
        self._looking: asyncio.Task[Mapping[int, int]] | None = None

    @classmethod
    async def connect(cls, dsn: str, live: Sequence[Projection[Any, Any]], readers: int = 8) -> Projections:
        """Raises Refused where the database is away."""
        names = [one.name for one in live]
        settings = {"search_path": ",".join(names), "jit": "off", "application_name": "intabaza reads"}
        try:
            pool = await asyncpg.create_pool(
                dsn, min_size=1, max_size=readers, command_timeout=ANSWER_SECONDS, server_settings=settings
            )
        except AWAY as error:
            raise _away(error) from None
        return cls(pool, names)

    async def close(self) -> None:
        self._pool.terminate()

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows of one query; raises Refused where the database does not answer."""
        try:
            return await self._pool.fetch(query, *arguments)
        except AWAY as error:
            raise _away(error) from None

    async def folded(self, partition: int) -> int:
        """Up to where every live projection has come in a partition; callers at one moment share the look."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return (await asyncio.shield(self._looking)).get(partition, 0)

    async def _look(self) -> Mapping[int, int]:
        return {row["partition"]: row["folded"] for row in await self.fetch(MARKS, self._names)}


def _away(error: Exception) -> Refused:
    return Refused(
        READS_AWAY, f"The projections cannot be read now ({type(error).__name__}).", headers={"Retry-After": "1"}
    )
