"""The API says what is not ready, whatever it is; what needs it is refused with the right number, the rest goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import psutil
import pytest

from services import clock
from services.api.examples import EXAMPLES, GIHANGA
from services.ledger.postgres import PostgresLedger
from tests.support.doors import ALINE, COMMITTEE, FABIEN, Doors, open_doors
from tests.support.stack import wait_for


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    """Nothing is begun and no processor has ever run; the tests go on from there, in their order."""
    async with open_doors(begun=False, INTABAZA_PROCESSORS="0") as doors:
        yield doors


async def not_ready(doors: Doors, expected: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    """What is not ready, as soon as it is what is expected."""
    deadline = time.monotonic() + 60
    while True:
        answer = await doors.client.get("/readyz")
        said: dict[str, str] = answer.json()["not_ready"]
        assert (answer.status_code, answer.json()["ready"]) == ((503, False) if said else (200, True))
        assert (await doors.client.get("/healthz")).status_code == 200
        if expected(said):
            return said
        assert time.monotonic() < deadline, said
        await asyncio.sleep(0.05)


def only(*names: str) -> Callable[[dict[str, str]], bool]:
    return lambda said: said.keys() == set(names)


async def a_report(doors: Doors) -> tuple[int, Any]:
    answer = await doors.post(ALINE, "/v1/reports", EXAMPLES["report.receive"])
    return answer.status_code, answer.json().get("number")


async def a_level(doors: Doors) -> tuple[int, Any]:
    answer = await doors.get(FABIEN, f"/v1/levels/{GIHANGA}")
    return answer.status_code, answer.json().get("number")


@asynccontextmanager
async def owner(doors: Doors) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(doors.stack.addresses.owner_dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def test_no_network_is_begun_and_no_projection_was_ever_made(doors: Doors) -> None:
    said = await not_ready(doors, only("network", "projections"))
    assert "intabaza begin" in said["network"]
    assert "the processors make it" in said["projections"]
    assert await a_report(doors) == (503, 4001)
    began = await asyncio.to_thread(doors.stack.command, "begin", "--division", "2015")
    assert began.returncode == 0, began.stderr
    await not_ready(doors, only("projections"))
    assert await a_report(doors) == (201, None)
    assert await a_level(doors) == (503, 4008)


async def test_the_door_is_shut(doors: Doors) -> None:
    ledger = await PostgresLedger.connect(doors.stack.addresses.app_dsn, clock.now)
    try:
        await ledger.shut_door("Kafka knows more than the ledger")
        said = await not_ready(doors, only("appends", "projections"))
        assert said["appends"] == "Kafka knows more than the ledger"
        assert await a_report(doors) == (503, 4005)
        await ledger.open_door()
    finally:
        await ledger.close()
    await not_ready(doors, only("projections"))
    assert await a_report(doors) == (201, None)


async def test_the_databases_clock_has_jumped(doors: Doors) -> None:
    async with owner(doors) as database:
        clock_now = await database.fetchval("select pg_get_functiondef('ledger.clock(ledger.state)'::regprocedure)")
        await database.execute(clock_now.replace("clock_timestamp()", "clock_timestamp() + interval '40 days'"))
        try:
            said = await not_ready(doors, only("appends", "projections"))
            assert "intabaza clock accept" in said["appends"]
            assert await a_report(doors) == (503, 4006)
        finally:
            await database.execute(clock_now)
    await not_ready(doors, only("projections"))
    assert await a_report(doors) == (201, None)


async def test_the_vault_lets_nobody_in(doors: Doors) -> None:
    async with owner(doors) as database:
        await database.execute("alter role intabaza_vault nologin")
        try:
            await database.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'intabaza_vault'"
            )
            said = await not_ready(doors, only("vault", "projections"))
            assert said["vault"]
            assert await a_report(doors) == (503, 4003)
        finally:
            await database.execute("alter role intabaza_vault login")
    await not_ready(doors, only("projections"))
    assert await a_report(doors) == (201, None)


async def test_the_database_is_away_and_comes_back(doors: Doors) -> None:
    supervisor = psutil.Process(doors.stack.state["supervisor"]["pid"])
    before = doors.stack.pid("postgres")
    supervisor.suspend()
    try:
        psutil.Process(before).kill()
        said = await not_ready(doors, only("ledger", "appends", "vault", "projections"))
        assert all(said.values())
        status, number = await a_report(doors)
        assert (status, number) in ((503, 4002), (503, 4003))
        assert await a_level(doors) == (503, 4008)
    finally:
        supervisor.resume()
    await asyncio.to_thread(wait_for, lambda: doors.stack.pid("postgres") != before, 60)
    await not_ready(doors, only("projections"))
    assert await a_report(doors) == (201, None)


async def test_nobody_of_the_committee_is_told_by_any_of_that(doors: Doors) -> None:
    """What is said to everybody who asks names no person, no role's login and no address of a server."""
    assert not [one for one in (*COMMITTEE, ALINE) if str(doors.people[one.name]) in doors.log]
    assert "postgresql://" not in doors.log
