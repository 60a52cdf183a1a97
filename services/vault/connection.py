"""The vault's own connections to Postgres, as the role intabaza_vault; nobody else opens its schema."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from projections.sql import named_queries
from services.database.pools import BY_KEY, as_it_was
from services.vault.refused import VaultUnavailable

QUERIES = named_queries("services.vault", "vault.sql")

CONNECTION_FAULTS = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    TimeoutError,
)
"""The server is away or the connection broke: worth one more try where a repeat changes nothing."""


async def connect_vault(dsn: str, most_connections: int = 4) -> asyncpg.Pool:
    """Open the pool. What only makes an append possible says itself that it need not be synced; all else is."""
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=most_connections,
            command_timeout=30,
            server_settings={"synchronous_commit": "on", "application_name": "intabaza vault", **BY_KEY},
            reset=as_it_was,
        )
    except (*CONNECTION_FAULTS, asyncpg.PostgresError) as error:
        raise VaultUnavailable(f"connect ({type(error).__name__})") from None


@asynccontextmanager
async def answers(what: str) -> AsyncIterator[None]:
    """Turn the database's faults into VaultUnavailable, without their texts: a server may quote what it was sent."""
    try:
        yield
    except (*CONNECTION_FAULTS, asyncpg.PostgresError) as error:
        raise VaultUnavailable(f"{what} ({type(error).__name__})") from None
