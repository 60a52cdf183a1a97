"""A bell that is closed ends, also where it rings at that very moment."""

from __future__ import annotations

import asyncio

import pytest

from services.ledger.bell import Bell
from services.local.postgres import PostgresServer


@pytest.mark.parametrize("turns", range(6))
async def test_it_ends_though_it_rings_while_it_is_closed(
    postgres: PostgresServer, fresh_database: str, turns: int
) -> None:
    bell = Bell(postgres.dsn(fresh_database), "select 1::bigint as position", poll_seconds=60)
    assert await bell.wait_for(1) == 1
    await asyncio.sleep(0.05)  # it listens again, and nothing rings
    bell._ring()
    for _ in range(turns):  # so many turns of the loop after it rang
        await asyncio.sleep(0)
    closing = asyncio.create_task(bell.close())
    # a timeout around it would end what it waits for a second time, which is what it must not need
    closed, _ = await asyncio.wait({closing}, timeout=10)
    closing.cancel()
    assert closed
