"""A wire to PostgreSQL sees which transaction wrote, and loses its commit or the answer to it, as it was told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from services.local.postgres import PostgresServer
from tests.conftest import server_folder
from tests.faults.wires import Losing, PostgresWire, opened


@asynccontextmanager
async def a_wire() -> AsyncIterator[tuple[PostgresWire, str]]:
    """A wire to a server of its own, and the DSN that goes over it."""
    server = PostgresServer(server_folder(), port=0, durable=False)
    server.start()
    try:
        wire = PostgresWire(lambda: server.port)
        async with opened(wire):
            yield wire, f"postgresql://postgres@127.0.0.1:{wire.port}/postgres?sslmode=disable"
    finally:
        server.remove()


async def _tell(connection: asyncpg.Connection[asyncpg.Record], done: bool) -> None:
    async with connection.transaction():
        # what this session sets, the server tells of beside its answer to the commit
        await connection.execute("set local search_path = pg_catalog, public")
        await connection.execute("insert into told values ($1)", done)


async def test_a_commit_is_lost_before_or_after_the_server_does_it() -> None:
    async with a_wire() as (wire, dsn):
        connection = await asyncpg.connect(dsn)
        await connection.execute("create table told (done bool)")
        for done in (True, False):
            losing = Losing(done_by_the_server=done, appends=False)
            wire.lose(losing)
            async with connection.transaction(readonly=True):
                await connection.fetch("select * from told")
            assert not losing.happened.is_set(), "a transaction that only reads has nothing to lose"
            with pytest.raises((asyncpg.ConnectionDoesNotExistError, OSError)):
                await _tell(connection, done)
            assert losing.happened.is_set()
            connection = await asyncpg.connect(dsn)
        assert [row["done"] for row in await connection.fetch("select * from told")] == [True]
        await connection.close()


async def test_what_is_held_arrives_late_and_what_is_swallowed_never() -> None:
    async with a_wire() as (wire, dsn):
        connection = await asyncpg.connect(dsn)
        wire.hold()
        with pytest.raises(TimeoutError):
            await connection.fetchval("select 1", timeout=0.2)
        wire.heal()
        connection.terminate()
        connection = await asyncpg.connect(dsn)
        assert wire.swallow() >= 1
        wire.heal()
        with pytest.raises(TimeoutError):
            await connection.fetchval("select 1", timeout=0.2)
        connection.terminate()
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("select 1") == 1
        assert wire.cut() == 1
        with pytest.raises((asyncpg.ConnectionDoesNotExistError, asyncpg.InterfaceError, OSError)):
            await connection.fetchval("select 1")
