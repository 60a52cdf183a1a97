"""Tables of a projection in a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest

from projections.projection import Projection
from services.local.postgres import PostgresServer
from tests.integration.projections.standing import Stand, Standing


@pytest.fixture
async def stand(postgres: PostgresServer, empty_database: str) -> AsyncIterator[Stand]:
    """Makes the tables of a projection stand."""
    connection = await asyncpg.connect(postgres.dsn(empty_database))

    async def make(projection: Projection[Any, Any], queries: Mapping[str, str]) -> Standing:
        standing = Standing(connection, projection, queries)
        await standing.make()
        return standing

    yield make
    await connection.close()
