"""A database that restarts, a session that is taken away, and who may write what the relay remembers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from services.database.lead import LeadLost
from services.database.migrate import migrate
from services.ledger.ledger import LedgerError
from services.ledger.published import Published
from services.local.postgres import PostgresServer
from services.relay.leader import Leadership

if TYPE_CHECKING:
    from services.local.kafka import KafkaServer
    from tests.support.relays import RelayTrial


@pytest.mark.parametrize("how", ["restart", "kill"])
async def test_a_database_that_goes_away_under_load_costs_lag_and_nothing_else(
    kafka: KafkaServer, durable_postgres: PostgresServer, how: str
) -> None:
    from tests.support.relays import relay_trial

    server = durable_postgres
    await migrate(server.dsn())
    async with relay_trial(kafka, server.dsn(), server.dsn(user="intabaza_app")) as trial:
        stop = asyncio.Event()

        async def append() -> None:
            while not stop.is_set():
                try:
                    await trial.append(20)
                except LedgerError:
                    await asyncio.sleep(0.05)

        async def until_more(events: int) -> None:
            held = await _acknowledged(trial)
            while await _acknowledged(trial) < held + events:  # noqa: ASYNC110 - the connection that would ring is gone
                await asyncio.sleep(0.05)

        async with asyncio.timeout(150), trial.relaying():
            appending = asyncio.ensure_future(append())
            for _ in range(2):
                await until_more(200)
                if how == "restart":
                    await asyncio.to_thread(server.restart)
                else:
                    await asyncio.to_thread(server.kill)
                    await asyncio.to_thread(server.start)
            await until_more(200)
            stop.set()
            await appending
            head = (await trial.ledger.head()).position
            while await _acknowledged(trial) < head:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
            await trial.assert_whole()


async def _acknowledged(trial: RelayTrial) -> int:
    while True:
        try:
            connection = await asyncpg.connect(trial.owner_dsn)
            try:
                return int(await connection.fetchval("select relay.acknowledged()"))
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.sleep(0.05)


async def test_a_leader_whose_session_is_taken_away_leads_no_more_and_comes_back(trial: RelayTrial) -> None:
    async with trial.relaying():
        for _ in range(3):
            await trial.until_acknowledged(await trial.append(30))
            await trial.owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'intabaza relay'"
                " and datname = current_database()"
            )
        await trial.until_acknowledged(await trial.append(30))
    await trial.assert_whole()


async def test_only_the_session_that_holds_the_lock_writes_how_far_the_relay_is(trial: RelayTrial) -> None:
    leader, other = await Leadership.connect(trial.app_dsn), await Leadership.connect(trial.app_dsn)
    assert await leader.try_to_lead()
    assert not await other.try_to_lead()
    await leader.save({}, {}, 5)
    with pytest.raises(LeadLost, match="only the leading relay"):
        await other.save({}, {}, 9)
    await leader.save({}, {}, 3)
    assert await trial.acknowledged() == 5, "only forwards"
    leader.end()

    app = await asyncpg.connect(trial.app_dsn)
    for statement in (
        "update relay.progress set acknowledged = 1000",
        "delete from relay.partition",
        "insert into relay.foreign_record values (gen_random_uuid(), 0, 0, 'x', 0)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)
    await app.close()


async def test_who_waits_for_a_position_is_told_when_it_is_on_kafka(trial: RelayTrial) -> None:
    published = Published(trial.app_dsn)
    position = await trial.append(20)
    assert not await published.wait_for(position, 0.1)
    assert await published.position() == 0
    waiting = asyncio.ensure_future(published.wait_for(position, 60))
    async with trial.relaying():
        assert await waiting
        assert await published.position() == position
        later = await trial.append(1)
        assert await published.wait_for(later, 60)
    await published.close()
