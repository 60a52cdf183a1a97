"""A processor that can never go on is left dead and said to be; reports go on, and once it is mended it goes on too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import asyncpg
import pytest

from services import clock
from services.ledger.postgres import PostgresLedger
from services.ledger.published import Published
from services.local.topics import EVENTS
from services.log.partition import partition_of
from services.log.record import Link
from tests.support.feeding import Feeder
from tests.support.ledgers import note
from tests.support.stack import Stack, a_stack, wait_for

PARTITIONS = 3
HOME = "bi:home:1"
ELSEWHERE = (partition_of(HOME, PARTITIONS) + 1) % PARTITIONS
"""A partition in which nothing of this test lives."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack(INTABAZA_PARTITIONS=str(PARTITIONS)) as running:
        running.up()
        yield running


@pytest.fixture(scope="module")
async def owner(stack: Stack) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """The database, with a clock that stands: a tick into the broken partition would rightly halt the relay too."""
    connection = await asyncpg.connect(stack.addresses.owner_dsn)
    await connection.execute("select ledger.simulate($1)", datetime(2026, 3, 1, 10, 30, tzinfo=UTC))
    yield connection
    await connection.close()


async def report(stack: Stack, count: int) -> int:
    """Append, and return the last position once it is on Kafka."""
    ledger = await PostgresLedger.connect(stack.addresses.app_dsn, clock.now)
    published = Published(stack.addresses.app_dsn)
    try:
        for _ in range(count):
            await ledger.append(note(home=HOME))
        position = (await ledger.head()).position
        assert await published.wait_for(position, 60)
        return position
    finally:
        await published.close()
        await ledger.close()


async def test_a_broken_chain_ends_the_processor_alone_and_after_the_mend_it_goes_on(
    stack: Stack, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    await report(stack, 5)
    stray = Feeder(stack.addresses.bootstrap, PARTITIONS)
    stray.record(ELSEWHERE, "bi:home:2", b"{}", Link(1000, 999))
    stray.close()
    await asyncio.to_thread(wait_for, lambda: "processors" in stack.state["given_up"], 240)
    others = {name: stack.pid(name) for name in ("postgres", "kafka", "relay")}

    shown = await asyncio.to_thread(stack.command, "status")
    assert shown.returncode == 1
    assert "given up" in shown.stdout
    assert f"processors was given up at {clock.now():%Y-%m-%d}" in shown.stderr
    assert "after 6 deaths; everything else goes on" in shown.stderr
    assert "position 1000 says that 999 stands before it, and 0 does" in shown.stderr, "the end of its log is shown"
    assert "`intabaza restart processors`" in shown.stderr
    said = (stack.folder / "logs" / "supervisor.log").read_text()
    assert said.count("processors ended by itself; starting it again in") == 5
    assert "processors is given up after 6 deaths, and everything else goes on." in said
    assert "position 1000 says that 999 stands before it" in said

    position = await report(stack, 5)
    assert {name: stack.pid(name) for name in others} == others

    mended = await asyncio.to_thread(stack.command, "relay", "republish", "--yes", "--topic", EVENTS)
    assert mended.returncode == 0, mended.stderr
    again = await asyncio.to_thread(stack.command, "restart")
    assert again.returncode == 0, again.stderr
    assert again.stdout == "Started again: processors. `intabaza status` shows whether it stays.\n"
    async with asyncio.timeout(120):
        while await owner.fetchval("select max(last_position) from projections.watermark") != position:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    shown = await asyncio.to_thread(stack.command, "status")
    assert shown.returncode == 0, shown.stderr
    assert {name: stack.pid(name) for name in others} == others


def test_one_that_runs_is_ended_and_started_again(stack: Stack) -> None:
    before = stack.pid("relay")
    done = stack.command("restart", "relay")
    assert done.returncode == 0, done.stderr
    assert stack.pid("relay") != before
    assert stack.command("status").returncode == 0


def test_what_cannot_be_started_again_alone_is_said(stack: Stack) -> None:
    refused = stack.command("restart", "kafka")
    assert refused.returncode == 1
    assert "kafka is none of relay, processors" in refused.stderr
    assert stack.command("restart").stderr == "Nothing was given up: name what is to be started again.\n"
