"""A worker's connections. Its transactions hold what others wait for: watermarks, and the append lock at their end."""

from __future__ import annotations

import asyncpg

from services.database.pools import BY_KEY, as_it_was

APPLICATION = "intabaza processors"
CONNECTIONS = 6
CONNECT_SECONDS = 10
ANSWER_SECONDS = 35
IDLE_SECONDS = 5
"""A process that is frozen in a transaction loses it after this time. Until then nobody else can take its partitions
over, nor, where it was about to say what follows, can anybody append."""
STATEMENT_SECONDS = 30
"""Whoever waits longer gives up, ends who is frozen while it sends rows (to the server that is no idling, and it would
wait for ever), and tries again."""


async def open_pool(dsn: str) -> asyncpg.Pool[asyncpg.Record]:
    """Connections as the role intabaza_projector. Raises what asyncpg raises where Postgres is away."""
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=CONNECTIONS,
        timeout=CONNECT_SECONDS,
        command_timeout=ANSWER_SECONDS,
        server_settings={
            "application_name": APPLICATION,
            "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
            "statement_timeout": f"{STATEMENT_SECONDS}s",
            **BY_KEY,
        },
        reset=as_it_was,
    )
