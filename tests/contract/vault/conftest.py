"""Both vaults, each in turn."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.local.postgres import PostgresServer
from tests.support.vaults import Vault, memory_vault, postgres_vault


@pytest.fixture(params=["memory", "postgres"])
def vault_dsn(request: pytest.FixtureRequest) -> str | None:
    """Where the vault under test lives; nowhere for the one in memory."""
    if request.param == "memory":
        return None
    database: str = request.getfixturevalue("fresh_database")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.dsn(database, "intabaza_vault")


@pytest.fixture
async def vault(vault_dsn: str | None) -> AsyncIterator[Vault]:
    if vault_dsn is None:
        yield memory_vault()
        return
    async with postgres_vault(vault_dsn) as there:
        yield there
