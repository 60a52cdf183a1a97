"""The schemas that projections stand in: made by whoever comes first, because they can be made anew at any time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from projections.projection import Connection, Projection
from services.processors.guarding import guard

_LOCK = 7_310_394_218_800_005
"""Advisory lock for making schemas; any number that nothing else here uses."""

READERS = "intabaza_app, intabaza_reader"


async def make_places(pool: asyncpg.Pool[asyncpg.Record], projections: Sequence[Projection[Any, Any]]) -> None:
    """Make the live schema of each projection that has none; one from before its rows were guarded is guarded."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        for one in projections:
            if not await connection.fetchval("select to_regnamespace($1) is not null", one.name):
                await make_place(connection, one, one.name)
            else:
                await guard(connection, one, one.name)


async def make_place(connection: Connection, projection: Projection[Any, Any], place: str) -> None:
    """Make one schema with a projection's empty tables; the API and auditors may read it, row by row as is guarded."""
    await connection.execute(f'create schema "{place}"')
    await connection.execute("select set_config('search_path', $1, true)", place)
    await connection.execute(projection.table.definition)
    await connection.execute(f'grant usage on schema "{place}" to {READERS}')
    await connection.execute(f'grant select on all tables in schema "{place}" to {READERS}')
    await guard(connection, projection, place)
