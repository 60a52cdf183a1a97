"""An API that ends, or is killed, under commands: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import httpx
import psutil
import pytest

from services import clock
from services.api.examples import EXAMPLES
from services.ledger.postgres import PostgresLedger
from tests.support.doors import ALINE, Doors, open_doors
from tests.support.stack import wait_for

CALLERS = 16
BEFORE = 60
"""Reports that were acknowledged when it is ended."""


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    async with open_doors(INTABAZA_APIS="2", INTABAZA_API_REQUESTS_PER_SECOND="0") as doors:
        yield doors


def client_of(doors: Doors, name: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{doors.stack.state['ports'][name]}", timeout=60)


async def received(doors: Doors) -> Counter[str]:
    """How many times each report was received, in the ledger."""
    ledger = await PostgresLedger.connect(doors.stack.addresses.app_dsn, clock.now)
    try:
        rows, found = await ledger.read(0), Counter[str]()
        while rows:
            found.update(row.stream.removeprefix("report/") for row in rows if row.type == "report.received")
            rows = await ledger.read(rows[-1].position)
        return found
    finally:
        await ledger.close()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
async def test_every_command_is_answered_or_unknown_and_a_repeat_at_the_other_tells_the_truth(
    doors: Doors, ending: signal.Signals
) -> None:
    earlier = await received(doors)
    who = doors.authorization(ALINE) | {"Content-Type": "application/json"}
    answers: dict[str, httpx.Response | None] = {}
    async with AsyncExitStack() as open_clients:
        first = await open_clients.enter_async_context(client_of(doors, "api"))
        second = await open_clients.enter_async_context(client_of(doors, "api-2"))
        pid = doors.stack.pid("api")

        async def send(client: httpx.AsyncClient, key: str) -> httpx.Response | None:
            try:
                return await client.post(
                    "/v1/reports", json=EXAMPLES["report.receive"], headers=who | {"Idempotency-Key": key}
                )
            except httpx.TransportError:
                return None

        async def caller() -> None:
            gone = False
            while not gone:
                key = str(uuid4())
                answers[key] = await send(first, key)
                gone = answers[key] is None
                if len(answers) == BEFORE:
                    psutil.Process(pid).send_signal(ending)

        async with asyncio.timeout(120):
            await asyncio.gather(*(caller() for _ in range(CALLERS)))
        repeats = {key: await send(second, key) for key in answers}
    wait_for(lambda: doors.stack.state["servers"]["api"]["pid"] != pid, 60)

    acknowledged = {key: one for key, one in answers.items() if one is not None}
    assert len(acknowledged) >= BEFORE - CALLERS
    assert len(acknowledged) < len(answers)
    statuses = Counter(one.status_code for one in acknowledged.values())
    assert statuses.keys() == {201}, statuses
    for key, repeat in repeats.items():
        assert repeat is not None
        assert repeat.status_code == 200 if key in acknowledged else repeat.status_code in (200, 201), repeat.text
        if key in acknowledged:
            assert repeat.json()["report_id"] == acknowledged[key].json()["report_id"]
            assert repeat.json()["repeated"] is True
    written = await received(doors) - earlier
    assert written == Counter(one.json()["report_id"] for one in repeats.values() if one is not None)
    assert set(written.values()) == {1}
