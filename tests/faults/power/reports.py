"""Reports taken in on a disk that loses power, and which of them are there afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from secrets import token_bytes

import asyncpg

from services import clock
from services.database.migrate import migrate
from services.ledger.ledger import LedgerUnavailable, Unknown
from services.ledger.postgres import PostgresLedger
from services.local.postgres import PostgresServer
from services.local_problem import LocalProblem
from services.vault.master import MasterKey
from services.vault.refused import VaultUnavailable
from tests.faults.power.disk import Disk
from tests.support.taken_in import TakenIn, assert_opens, take_one_in
from tests.support.vaults import PostgresVault, postgres_vault

CALLERS = 8
MASTER = MasterKey(token_bytes(32))


@asynccontextmanager
async def powered(disk: Disk, options: dict[str, str] | None = None) -> AsyncIterator[PostgresServer]:
    """A migrated server on the disk, all of it flushed once."""
    server = PostgresServer(disk.folder / "postgres", options=options)
    server.start()
    try:
        await migrate(server.dsn())
        disk.sync()
        yield server
    finally:
        server.kill()


@asynccontextmanager
async def taking_in(server: PostgresServer) -> AsyncIterator[list[TakenIn]]:
    """Callers that take reports in until the server is gone, which the block sees to; those that were acknowledged."""
    ledger = await PostgresLedger.connect(server.dsn(user="intabaza_app"), clock.now)
    acknowledged: list[TakenIn] = []

    async def caller(vault: PostgresVault) -> None:
        with suppress(VaultUnavailable, LedgerUnavailable, Unknown):
            while True:
                acknowledged.append(await take_one_in(vault, ledger))

    async with postgres_vault(server.dsn(user="intabaza_vault"), MASTER) as vault:
        callers = [asyncio.ensure_future(caller(vault)) for _ in range(CALLERS)]
        try:
            yield acknowledged
            await asyncio.gather(*callers)
        finally:
            for one in callers:
                one.cancel()
    await ledger.close()


async def work_until_the_power_goes(server: PostgresServer, disk: Disk, moment: int) -> list[TakenIn]:
    """Take reports in until so many are acknowledged, then cut; returns those that were acknowledged before that."""
    async with taking_in(server) as acknowledged:
        async with asyncio.timeout(120):
            while len(acknowledged) < moment:  # noqa: ASYNC110 - it is the callers that count
                await asyncio.sleep(0.001)
        server.kill()
        disk.cut()
    return acknowledged


async def lost(server: PostgresServer, acknowledged: list[TakenIn]) -> list[TakenIn]:
    """Those of which the recovered ledger knows nothing; what it knows must be as it was, and open."""
    try:
        server.start()
    except LocalProblem:
        return acknowledged  # nothing can be read any more
    connection = await asyncpg.connect(server.dsn())
    try:
        known = {row["event_id"]: row["position"] for row in await connection.fetch("select * from ledger.event")}
        assert sorted(known.values()) == list(range(1, len(known) + 1))
    finally:
        await connection.close()
    async with postgres_vault(server.dsn(user="intabaza_vault"), MASTER) as vault:
        for one in acknowledged:
            if one.event_id in known:
                assert known[one.event_id] == one.position
                await assert_opens(vault, one)
    return [one for one in acknowledged if one.event_id not in known]
