"""A server that restarts or is killed under load: what was told is true, and everybody comes back by themselves."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from uuid import UUID

import asyncpg
import pytest

from services import clock
from services.database.migrate import migrate
from services.ledger.ledger import Accepted, LedgerUnavailable, Unknown
from services.ledger.postgres import PostgresLedger
from services.local.postgres import PostgresServer
from tests.support.ledgers import note

CALLERS = 16


@pytest.mark.parametrize("how", ["restart", "kill"])
async def test_what_was_told_is_true_whatever_the_server_went_through(
    durable_postgres: PostgresServer, how: str
) -> None:
    await migrate(durable_postgres.dsn())
    ledger = await PostgresLedger.connect(durable_postgres.dsn(user="intabaza_app"), clock.now, poll_seconds=0.5)
    told: dict[UUID, Accepted] = {}
    refused: set[UUID] = set()
    unknown: set[UUID] = set()
    stop = asyncio.Event()

    async def call(caller: int) -> None:
        """Append until told to stop; every other caller tries again what failed, the others leave it."""
        while not stop.is_set():
            submission = note(count=2)
            while submission.command_id not in told:
                try:
                    told[submission.command_id] = await ledger.append(submission)
                except (LedgerUnavailable, Unknown) as error:
                    if caller % 2:
                        (refused if isinstance(error, LedgerUnavailable) else unknown).add(submission.command_id)
                        break
                    await asyncio.sleep(0.01)  # a caller's pause before it tries again

    followed: list[int] = []

    async def follow() -> None:
        async for rows in ledger.follow(0):
            followed.extend(row.position for row in rows)

    follower = asyncio.create_task(follow())
    callers = [asyncio.create_task(call(number)) for number in range(CALLERS)]
    async with asyncio.timeout(120):
        for _ in range(2):
            assert await ledger.wait_for((await _head(ledger)) + 500, 60)
            if how == "restart":
                await asyncio.to_thread(durable_postgres.restart)
            else:
                await asyncio.to_thread(durable_postgres.kill)
                await asyncio.to_thread(durable_postgres.start)
        assert await ledger.wait_for((await _head(ledger)) + 500, 60)
        stop.set()
        await asyncio.gather(*callers)
        head = await _head(ledger)
        while len(followed) < head:  # noqa: ASYNC110 - the follower has no bell of its own
            await asyncio.sleep(0.005)
        follower.cancel()

    owner = await asyncpg.connect(durable_postgres.dsn())
    held: dict[UUID, list[tuple[int, UUID]]] = defaultdict(list)
    for row in await owner.fetch("select command_id, position, event_id from ledger.event order by position"):
        held[row["command_id"]].append((row["position"], row["event_id"]))
    await owner.close()

    assert {
        command: [(place.position, place.event_id) for place in answer.placed] for command, answer in told.items()
    } == {command: held[command] for command in told}
    assert refused, "nobody noticed that the server was away, so this showed nothing"
    assert not refused & held.keys()
    assert set(held) - set(told) <= unknown
    assert sorted(position for places in held.values() for position, _ in places) == list(range(1, head + 1))
    assert followed == list(range(1, head + 1))
    await ledger.close()


async def _head(ledger: PostgresLedger) -> int:
    while True:
        try:
            return (await ledger.head()).position
        except LedgerUnavailable:
            await asyncio.sleep(0.01)
