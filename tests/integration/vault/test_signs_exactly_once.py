"""Each accepted sign of life is on the log exactly once, whoever dies at what, however many record, however late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from events.reporter import monday_of
from services.database.migrate import migrate
from services.ledger.postgres import simulate
from services.local.postgres import PostgresServer
from tests.integration.vault.test_links_outlive_a_crash import freeze_writers
from tests.support.signing import ZONE, Signing, at, days_of, recording_elsewhere, signing

DAY = date(2026, 5, 20)
A_DAY = timedelta(days=1)

Dsns = tuple[str, str]


@pytest.fixture
def dsns(postgres: PostgresServer, fresh_database: str) -> Dsns:
    return postgres.dsn(fresh_database, "intabaza_app"), postgres.dsn(fresh_database, "intabaza_vault")


@pytest.fixture
async def there(postgres: PostgresServer, fresh_database: str, dsns: Dsns) -> AsyncIterator[Signing]:
    """A simulated ledger at ten in the morning of DAY, and five reporters."""
    await simulate(postgres.dsn(fresh_database), at(DAY, 10))
    async with signing(*dsns, token_bytes(32)) as there:
        await there.enrol(5)
        yield there


async def set_clock(there: Signing, day: date, hour: int = 0) -> None:
    await there.set_clock(at(day, hour))


async def held(superuser: asyncpg.Connection) -> int:
    count: int = await superuser.fetchval("select count(*) from vault.held_sign")
    return count


async def expected(there: Signing, *days: date) -> list[tuple[str, date]]:
    persons = there.network.desk.persons
    streams = [(await persons.reporter_streams(one))[there.home] for one in there.reporters]
    return sorted((f"reporter/{one}", day) for one in streams for day in days)


async def says(process: Any, word: str) -> None:
    async with asyncio.timeout(60):
        while (line := (await process.stdout.readline()).decode().strip()) != word:
            assert line, "it ended before"


async def go(process: Any) -> None:
    process.stdin.write(b"go\n")
    await process.stdin.drain()


@pytest.mark.parametrize("step", ["gathered", "appended"])
async def test_a_process_killed_at_a_step_leaves_the_rest_to_the_next(
    there: Signing, dsns: Dsns, superuser: asyncpg.Connection, step: str
) -> None:
    for person in there.reporters:
        await there.check_in(person, DAY)
    await set_clock(there, DAY + A_DAY)
    async with recording_elsewhere(*dsns, there.secret, step) as process:
        await says(process, "ready")
        await go(process)
        await says(process, step)
        process.kill()
    assert await held(superuser) == 5
    assert len(await there.recorded()) == (5 if step == "appended" else 0)
    await there.network.desk.signs.look()
    assert days_of(await there.recorded()) == await expected(there, DAY)
    assert await held(superuser) == 0


async def test_who_was_erased_after_a_crash_behind_the_append_changes_nothing_on_the_log(
    there: Signing, dsns: Dsns, superuser: asyncpg.Connection
) -> None:
    for person in there.reporters:
        await there.check_in(person, DAY)
    wanted = await expected(there, DAY)
    await set_clock(there, DAY + A_DAY)
    async with recording_elsewhere(*dsns, there.secret, "appended") as process:
        await says(process, "ready")
        await go(process)
        await says(process, "appended")
        process.kill()
    await superuser.execute("select vault.erase_person($1)", there.reporters[0])
    assert await held(superuser) == 4
    await there.network.desk.signs.look()
    assert days_of(await there.recorded()) == wanted
    assert await held(superuser) == 0


@pytest.mark.parametrize("kept", [0, 2, 5])
async def test_a_ledger_that_was_restored_and_ends_in_the_midst_of_them_gets_the_rest(
    there: Signing, superuser: asyncpg.Connection, kept: int
) -> None:
    """The vault as it was before they were recorded; the ledger with as many of them as had come to Kafka."""
    signs = there.network.desk.signs
    for person in there.reporters:
        await there.check_in(person, DAY)
    await set_clock(there, DAY + A_DAY)
    await signs.store.gather(at(DAY + A_DAY, 0), ZONE, 31)
    await superuser.execute("create table backup as select * from vault.held_sign")
    await signs.look()
    first = [event.id for event in await there.recorded()]
    assert len(first) == 5
    async with superuser.transaction():
        await superuser.execute("alter table ledger.event disable trigger user")
        await superuser.execute(
            "delete from ledger.event where position > (select max(position) from ledger.event) - $1", 5 - kept
        )
        await superuser.execute("alter table ledger.event enable trigger user")
        await superuser.execute("insert into vault.held_sign select * from backup")
    for _ in range(2):  # and who does it once more changes nothing
        await signs.record(at(DAY + A_DAY, 1))
        events = await there.recorded()
        assert days_of(events) == await expected(there, DAY)
        assert [event.id for event in events][:kept] == first[:kept]
        assert await held(superuser) == 0


async def test_two_processes_at_one_midnight_record_each_sign_once(
    there: Signing, dsns: Dsns, superuser: asyncpg.Connection
) -> None:
    for person in there.reporters:
        await there.check_in(person, DAY)
    await set_clock(there, DAY + A_DAY)
    async with recording_elsewhere(*dsns, there.secret) as one, recording_elsewhere(*dsns, there.secret) as other:
        for process in (one, other):
            await says(process, "ready")
        await asyncio.gather(go(one), go(other), there.network.desk.signs.look())
        await asyncio.gather(says(one, "recorded"), says(other, "recorded"))
    events = await there.recorded()
    assert days_of(events) == await expected(there, DAY)
    assert len({event.commandid for event in events}) == 1
    assert await held(superuser) == 0


async def test_days_in_which_nothing_recorded_go_each_with_their_own_day(there: Signing) -> None:
    days = [DAY + number * A_DAY for number in range(4)]
    for day in days:
        await set_clock(there, day, 11)
        for person in there.reporters:
            await there.check_in(person, day)
    await set_clock(there, days[-1] + A_DAY, 8)
    await there.network.desk.signs.look()
    events = await there.recorded()
    assert days_of(events) == await expected(there, *days)
    assert len({event.time for event in events}) == 1


async def test_signs_of_a_day_wait_for_its_local_midnight(there: Signing) -> None:
    await there.check_in(there.reporters[0], DAY)
    await set_clock(there, DAY, 23)
    await there.network.desk.signs.look()
    assert await there.recorded() == []
    await set_clock(there, DAY + A_DAY)
    await there.network.desk.signs.look()
    assert len(await there.recorded()) == 1


async def test_an_erased_person_gives_none_and_a_day_of_nobody_else_is_over_too(
    there: Signing, superuser: asyncpg.Connection
) -> None:
    await there.check_in(there.reporters[0], DAY)
    await superuser.execute("select vault.erase_person($1)", there.reporters[0])
    assert await held(superuser) == 0
    await set_clock(there, DAY + A_DAY)
    await there.network.desk.signs.look()
    assert await there.recorded() == []


async def test_signs_given_while_others_are_recorded_are_none_lost(
    there: Signing, superuser: asyncpg.Connection
) -> None:
    """Midnight comes among check-ins: each is of the one day's recording or of the next one's."""

    async def midnight() -> None:
        await set_clock(there, DAY + A_DAY)
        await there.network.desk.signs.look()

    await asyncio.gather(*(there.check_in(one, DAY) for one in there.reporters), midnight())
    for later in (
        DAY + 2 * A_DAY,
        monday_of(DAY) + 7 * A_DAY,
    ):  # who came behind midnight is late, and waits for the week
        await set_clock(there, later)
        await there.network.desk.signs.look()
    recorded = days_of(await there.recorded())
    assert [stream for stream, _ in recorded] == [stream for stream, _ in await expected(there, DAY)]
    assert {day for _, day in recorded} <= {DAY, monday_of(DAY)}
    assert await held(superuser) == 0


async def test_what_is_held_outlives_a_killed_server(durable_postgres: PostgresServer) -> None:
    server, secret = durable_postgres, token_bytes(32)
    await migrate(server.dsn())
    dsns = server.dsn(user="intabaza_app"), server.dsn(user="intabaza_vault")
    await simulate(server.dsn(), at(DAY, 10))
    async with signing(*dsns, secret) as there:
        await there.enrol(1)
        person: UUID = there.reporters[0]
        freeze_writers(server)
        await there.check_in(person, DAY, felt_safety=2)
        server.kill()
    server.start()
    async with signing(*dsns, secret) as there:
        there.reporters = [person]
        await set_clock(there, DAY + A_DAY)
        await there.network.desk.signs.look()
        assert days_of(await there.recorded()) == await expected(there, DAY)
        (event,) = await there.recorded()
        assert event.data.said is not None
