"""Waiting and following: a lost notification or connection costs latency and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from services import clock
from services.ledger.ledger import LedgerError, LedgerUnavailable
from services.ledger.postgres import PostgresLedger
from tests.support.ledgers import PostgresTrial, note

WITHOUT_A_NOTIFICATION = (
    "insert into ledger.event values"
    " ($1, 'test/silent', $1, gen_random_uuid(), 't', 'h', now(), gen_random_uuid(), '', '{}', 1)"
)


async def test_a_waiter_is_woken_long_before_the_slow_poll(trial: PostgresTrial, app_dsn: str) -> None:
    ledger = await PostgresLedger.connect(app_dsn, clock.now, poll_seconds=3600)
    waiting = asyncio.create_task(ledger.wait_for(2, 60))
    await ledger.append(note())
    async with asyncio.timeout(20):
        await until_somebody_listens(trial)
    await trial.ledger.append(note())

    assert await waiting
    await ledger.close()


async def test_an_event_without_a_notification_is_found_by_the_slow_poll(trial: PostgresTrial, app_dsn: str) -> None:
    ledger = await PostgresLedger.connect(app_dsn, clock.now, poll_seconds=0.05)
    waiting = asyncio.create_task(ledger.wait_for(1, 60))
    await until_somebody_listens(trial)
    await trial.owner.execute(WITHOUT_A_NOTIFICATION, 1)

    assert await waiting
    await ledger.close()


async def test_a_notification_that_lies_wakes_nobody(trial: PostgresTrial) -> None:
    waiting = asyncio.create_task(trial.ledger.wait_for(5, 60))
    await until_somebody_listens(trial)
    await trial.owner.execute("notify ledger, '5'")
    for _ in range(4):
        await trial.ledger.append(note())

    assert (await trial.ledger.head()).position == 4
    assert not waiting.done()
    await trial.ledger.append(note())
    assert await waiting


async def test_a_hint_is_told_as_it_was_said_and_nobody_takes_it_for_the_head(
    trial: PostgresTrial, app_dsn: str
) -> None:
    ledger = await PostgresLedger.connect(app_dsn, clock.now, poll_seconds=3600)
    waiting = asyncio.create_task(ledger.wait_for_a_hint(5, 60))
    await until_somebody_listens(trial)
    await trial.owner.execute("notify ledger, '5'")

    assert await waiting
    assert await ledger.wait_for_a_hint(5, 60)
    assert not await ledger.wait_for(1, 0.05)
    assert not await ledger.wait_for_a_hint(6, 0.05)
    await ledger.close()


async def test_what_was_told_while_nobody_waited_is_found_by_whoever_comes_then(
    trial: PostgresTrial, app_dsn: str
) -> None:
    ledger = await PostgresLedger.connect(app_dsn, clock.now, poll_seconds=3600)
    first = asyncio.create_task(ledger.wait_for(1, 60))
    await trial.ledger.append(note())
    assert await first
    await until_somebody_listens(trial)
    await trial.ledger.append(note())

    assert await ledger.wait_for(2, 60)
    await ledger.close()


async def test_a_listener_whose_connection_was_killed_listens_again(trial: PostgresTrial, app_dsn: str) -> None:
    ledger = await PostgresLedger.connect(app_dsn, clock.now, poll_seconds=3600)
    following = aiter(ledger.follow(0))
    first = asyncio.ensure_future(anext(following))
    await until_somebody_listens(trial)
    await trial.owner.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = 'intabaza bell' and datname = current_database()"
    )
    await trial.ledger.append(note())

    async with asyncio.timeout(20):
        assert [row.position for row in await first] == [1]
    await ledger.close()


async def test_a_follower_refuses_to_pass_over_a_missing_position(trial: PostgresTrial) -> None:
    await trial.owner.execute(WITHOUT_A_NOTIFICATION, 1)
    await trial.owner.execute(WITHOUT_A_NOTIFICATION, 3)

    with pytest.raises(LedgerError, match="holds position 3 but not 2"):
        async for _ in trial.ledger.follow(0):
            pass


async def test_followers_and_waiters_of_a_closed_ledger_are_told_so(trial: PostgresTrial, app_dsn: str) -> None:
    ledger = await PostgresLedger.connect(app_dsn, clock.now)
    waiting = asyncio.create_task(ledger.wait_for(1, 60))
    following = asyncio.ensure_future(anext(aiter(ledger.follow(0))))
    await until_somebody_listens(trial)
    await ledger.close()

    for left in (waiting, following):
        with pytest.raises(LedgerUnavailable):
            await left


async def test_a_batch_ends_before_it_fills_the_memory(trial: PostgresTrial) -> None:
    await trial.ledger.append(note(count=30, text="x" * 800_000))

    first = await trial.ledger.read(0)
    seen = [row.position for row in first]
    while rows := await trial.ledger.read(seen[-1]):
        seen += [row.position for row in rows]

    assert sum(len(row.body) for row in first) < 17_000_000
    assert seen == list(range(1, 31))


async def until_somebody_listens(trial: PostgresTrial) -> None:
    async with asyncio.timeout(20):
        while not await trial.owner.fetchval(  # noqa: ASYNC110 - nothing rings when a backend listens
            "select count(*) from pg_stat_activity where application_name = 'intabaza bell' and state = 'idle'"
            " and query not ilike 'listen%' and datname = current_database()"
        ):
            await asyncio.sleep(0.005)
