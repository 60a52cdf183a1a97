"""The Postgres ledger on a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.local.postgres import PostgresServer
from tests.support.ledgers import PostgresTrial, postgres_trial


@pytest.fixture
def owner_dsn(postgres: PostgresServer, fresh_database: str) -> str:
    return postgres.dsn(fresh_database)


@pytest.fixture
def app_dsn(postgres: PostgresServer, fresh_database: str) -> str:
    return postgres.dsn(fresh_database, "intabaza_app")


@pytest.fixture
async def trial(owner_dsn: str, app_dsn: str) -> AsyncIterator[PostgresTrial]:
    async with postgres_trial(owner_dsn, app_dsn) as each:
        yield each


@pytest.fixture
async def app(app_dsn: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A bare connection as the application's role."""
    connection = await asyncpg.connect(app_dsn)
    yield connection
    await connection.close()
