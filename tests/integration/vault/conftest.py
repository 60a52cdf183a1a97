"""A vault and a ledger on one database, each as its own role."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services import clock
from services.ledger.postgres import PostgresLedger
from services.local.postgres import PostgresServer
from tests.support.vaults import PostgresVault, postgres_vault


@pytest.fixture
async def vault(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[PostgresVault]:
    async with postgres_vault(postgres.dsn(fresh_database, "intabaza_vault")) as there:
        yield there


@pytest.fixture
async def ledger(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[PostgresLedger]:
    there = await PostgresLedger.connect(postgres.dsn(fresh_database, "intabaza_app"), clock.now)
    yield there
    await there.close()


@pytest.fixture
async def superuser(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[asyncpg.Connection]:
    """Sees everything, to look for what should not be there."""
    connection = await asyncpg.connect(postgres.dsn(fresh_database))
    yield connection
    await connection.close()
