"""Whatever breaks in the middle of an append, the caller learns "not accepted" or "unknown", and a retry the truth."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias
from uuid import uuid4

import asyncpg
import pytest

from services import clock
from services.ledger import batcher
from services.ledger.ledger import Accepted, CommandBurned, LedgerUnavailable, Submission, Unknown
from services.ledger.postgres import PostgresLedger
from tests.integration.ledger.test_two_processes import append_in_another_process
from tests.support.ledgers import PostgresTrial, note, until_waiting_for_the_append_lock
from tests.support.lossy_wire import LossyWire, lossy_wire

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@asynccontextmanager
async def append_lock_held(owner: Connection) -> AsyncIterator[None]:
    async with owner.transaction():
        await owner.execute("select ledger.hold()")
        yield


@asynccontextmanager
async def ledger_over_a_wire(app_dsn: str) -> AsyncIterator[tuple[LossyWire, PostgresLedger]]:
    """A ledger whose connections are open and used once, over a wire that the test holds in its hand."""
    async with lossy_wire(app_dsn) as (wire, dsn):
        ledger = await PostgresLedger.connect(dsn, clock.now, readers=1)
        await ledger.append(note())
        try:
            yield wire, ledger
        finally:
            wire.requests.set()
            wire.answers.set()
            await ledger.close()


async def counted(trial: PostgresTrial, *submissions: Submission) -> list[int]:
    """How many events of each command are in the ledger."""
    return [
        await trial.owner.fetchval("select count(*) from ledger.event where command_id = $1", each.command_id)
        for each in submissions
    ]


async def answers_of(ledger: PostgresLedger, *submissions: Submission) -> list[Accepted | BaseException]:
    return await asyncio.gather(*(ledger.append(each) for each in submissions), return_exceptions=True)


async def test_an_answer_that_is_lost_is_unknown_and_the_retry_tells_that_it_was_accepted(
    trial: PostgresTrial, app_dsn: str
) -> None:
    async with ledger_over_a_wire(app_dsn) as (wire, ledger):
        submissions = [note() for _ in range(20)]
        wire.hold(wire.answers)
        callers = asyncio.create_task(answers_of(ledger, *submissions))
        async with asyncio.timeout(20):
            await wire.held.wait()
        assert (await trial.ledger.head()).position == 21
        wire.cut()
        wire.answers.set()

        assert {type(answer) for answer in await callers} == {Unknown}
        retried = await answers_of(ledger, *submissions)

    assert all(isinstance(answer, Accepted) and answer.repeated for answer in retried)
    assert await counted(trial, *submissions) == [1] * 20


async def test_a_request_that_is_lost_is_unknown_and_the_retry_is_the_first_time(
    trial: PostgresTrial, app_dsn: str
) -> None:
    async with ledger_over_a_wire(app_dsn) as (wire, ledger):
        submission = note()
        wire.hold(wire.requests)
        caller = asyncio.create_task(answers_of(ledger, submission))
        async with asyncio.timeout(20):
            await wire.held.wait()
        wire.cut()
        wire.requests.set()

        assert isinstance((await caller)[0], Unknown)
        assert await counted(trial, submission) == [0]
        assert not (await ledger.append(submission)).repeated


async def test_asking_burns_an_id_whose_first_try_is_still_on_its_way(trial: PostgresTrial, app_dsn: str) -> None:
    async with ledger_over_a_wire(app_dsn) as (wire, ledger):
        submission = note()
        wire.hold(wire.requests)
        first_try = asyncio.create_task(answers_of(ledger, submission))
        async with asyncio.timeout(20):
            await wire.held.wait()

        assert await trial.ledger.ask(submission.command_id) is None
        wire.requests.set()

        assert isinstance((await first_try)[0], CommandBurned)
        assert await counted(trial, submission) == [0]


async def test_asking_waits_behind_a_first_try_that_waits_for_the_lock(trial: PostgresTrial) -> None:
    submission = note()
    async with append_lock_held(trial.owner):
        first_try = asyncio.create_task(trial.ledger.append(submission))
        await until_waiting_for_the_append_lock(trial.owner, 1)
        asked = asyncio.create_task(trial.ledger.ask(submission.command_id))
        await until_waiting_for_the_append_lock(trial.owner, 2)

    assert await asked == Accepted((await first_try).placed, repeated=True)


async def test_a_first_try_that_gets_the_lock_after_the_question_is_refused(trial: PostgresTrial) -> None:
    submission = note()
    async with append_lock_held(trial.owner):
        asked = asyncio.create_task(trial.ledger.ask(submission.command_id))
        await until_waiting_for_the_append_lock(trial.owner, 1)
        first_try = asyncio.create_task(answers_of_one(trial, submission))
        await until_waiting_for_the_append_lock(trial.owner, 2)

    assert await asked is None
    assert isinstance(await first_try, CommandBurned)


async def answers_of_one(trial: PostgresTrial, submission: Submission) -> Accepted | BaseException:
    [answer] = await asyncio.gather(trial.ledger.append(submission), return_exceptions=True)
    return answer


async def test_a_caller_that_is_killed_while_it_waits_is_accepted_or_not_and_asking_tells_which(
    trial: PostgresTrial, app_dsn: str
) -> None:
    command_id = uuid4()
    async with append_lock_held(trial.owner):
        process = await append_in_another_process(app_dsn, str(command_id), 1)
        await until_waiting_for_the_append_lock(trial.owner, 1)
        process.kill()
        await process.communicate()
        asked = asyncio.create_task(trial.ledger.ask(command_id))
        await until_waiting_for_the_append_lock(trial.owner, 2)

    told = await asked
    assert told is not None, "the append that waited first came in first, though its process was dead"
    assert [row.position for row in await trial.ledger.read_stream(f"test/{command_id}")] == [1]
    again = await trial.ledger.append(note(f"test/{command_id}", command_id=command_id))
    assert again == told


async def test_a_backend_that_is_terminated_is_unknown_and_the_retry_is_accepted(trial: PostgresTrial) -> None:
    submissions = [note() for _ in range(5)]
    async with append_lock_held(trial.owner):
        callers = asyncio.create_task(trial_answers(trial, submissions))
        await until_waiting_for_the_append_lock(trial.owner)
        await trial.owner.execute(WAITING.format("pg_terminate_backend"))
        assert {type(answer) for answer in await callers} == {Unknown}

    assert await counted(trial, *submissions) == [0] * 5
    retried = await trial_answers(trial, submissions)
    assert [isinstance(answer, Accepted) and answer.repeated for answer in retried] == [False] * 5
    assert await counted(trial, *submissions) == [1] * 5


WAITING = (
    "select {}(pid) from pg_locks where locktype = 'advisory' and not granted"
    " and database = (select oid from pg_database where datname = current_database())"
)


async def trial_answers(trial: PostgresTrial, submissions: list[Submission]) -> list[Accepted | BaseException]:
    return await asyncio.gather(*(trial.ledger.append(each) for each in submissions), return_exceptions=True)


async def test_a_cancelled_statement_is_not_accepted(trial: PostgresTrial) -> None:
    submission = note()
    async with append_lock_held(trial.owner):
        caller = asyncio.create_task(trial_answers(trial, [submission]))
        await until_waiting_for_the_append_lock(trial.owner)
        await trial.owner.execute(WAITING.format("pg_cancel_backend"))
        [answer] = await caller

    assert isinstance(answer, LedgerUnavailable)
    assert await counted(trial, submission) == [0]
    assert not (await trial.ledger.append(submission)).repeated


async def test_a_deadlock_refuses_the_one_it_concerns_and_not_its_group(trial: PostgresTrial, owner_dsn: str) -> None:
    wrong = await asyncpg.connect(owner_dsn)
    await wrong.execute("set deadlock_timeout = '20s'")
    key = await trial.make_key()
    concerned, innocent = note(keys=frozenset([key])), note()

    transaction = wrong.transaction()
    await transaction.start()
    # Key row before append lock: the order that nobody may take.
    await wrong.execute("update vault.key set wrapped = '\\x01' where key_id = $1", key)
    callers = asyncio.create_task(trial_answers(trial, [concerned, innocent]))
    async with asyncio.timeout(20):
        while not await trial.owner.fetchval(  # noqa: ASYNC110 - nothing rings when a backend waits
            "select count(*) from pg_locks where locktype in ('transactionid', 'tuple') and not granted"
        ):
            await asyncio.sleep(0.005)
    await wrong.execute("select ledger.hold()")
    # The group was rolled back and its members go alone: the concerned one waits for the lock now, behind this one.
    await transaction.rollback()
    answers = await callers

    assert {type(answer) for answer in answers} == {Accepted}
    assert await counted(trial, concerned, innocent) == [1, 1]
    await wrong.close()


async def test_a_deadlock_of_a_lone_command_is_not_accepted(trial: PostgresTrial, owner_dsn: str) -> None:
    wrong = await asyncpg.connect(owner_dsn)
    await wrong.execute("set deadlock_timeout = '20s'")
    key = await trial.make_key()
    concerned = note(keys=frozenset([key]))

    async with wrong.transaction():
        await wrong.execute("update vault.key set wrapped = '\\x01' where key_id = $1", key)
        caller = asyncio.create_task(trial_answers(trial, [concerned]))
        async with asyncio.timeout(20):
            while not await trial.owner.fetchval(  # noqa: ASYNC110 - nothing rings when a backend waits
                "select count(*) from pg_locks where locktype in ('transactionid', 'tuple') and not granted"
            ):
                await asyncio.sleep(0.005)
        await wrong.execute("select ledger.hold()")
        [answer] = await caller

    assert isinstance(answer, LedgerUnavailable)
    assert "deadlock" in str(answer)
    assert await counted(trial, concerned) == [0]
    assert (await trial.ledger.append(concerned)).placed
    await wrong.close()


async def test_a_key_that_is_destroyed_while_the_append_waits_refuses_it(trial: PostgresTrial, owner_dsn: str) -> None:
    destroyer = await asyncpg.connect(owner_dsn)
    key = await trial.make_key()
    submission = note(keys=frozenset([key]))
    async with destroyer.transaction():
        await destroyer.execute("select ledger.hold()")
        await destroyer.execute(
            "update vault.key set wrapped = null, destroyed_at = clock_timestamp() where key_id = $1", key
        )
        caller = asyncio.create_task(trial_answers(trial, [submission]))
        await until_waiting_for_the_append_lock(trial.owner)
    [answer] = await caller
    await destroyer.close()

    assert type(answer).__name__ == "KeyDestroyed"
    assert await counted(trial, submission) == [0]


async def test_a_silent_database_is_unknown(
    trial: PostgresTrial, app_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ledger_over_a_wire(app_dsn) as (wire, ledger):
        monkeypatch.setattr(batcher, "ANSWER_SECONDS", 0.3)
        submission = note()
        wire.hold(wire.answers)

        with pytest.raises(Unknown, match="same id"):
            await ledger.append(submission)

        wire.cut()
        wire.answers.set()
        assert (await ledger.append(submission)).repeated
    assert await counted(trial, submission) == [1]


async def test_a_database_that_is_not_there_is_not_accepted_and_its_return_is_noticed(
    trial: PostgresTrial, app_dsn: str
) -> None:
    async with ledger_over_a_wire(app_dsn) as (wire, ledger):
        wire.deaf()
        wire.cut()
        submission = note()
        async with asyncio.timeout(20):
            # The first answer may be "unknown": a connection's end is noticed when the loop comes round to it.
            while not isinstance(answer := (await answers_of(ledger, submission))[0], LedgerUnavailable):
                assert isinstance(answer, Unknown)
        assert await counted(trial, submission) == [0]

        await wire.listen()
        assert not (await ledger.append(submission)).repeated
        assert [row.position for row in await ledger.read(0)] == [1, 2]


async def test_closing_lets_the_group_on_its_way_arrive_and_refuses_what_waits(
    trial: PostgresTrial, app_dsn: str
) -> None:
    ledger = await PostgresLedger.connect(app_dsn, clock.now)
    on_its_way, waits = note(), note()
    async with append_lock_held(trial.owner):
        first = asyncio.create_task(answers_of(ledger, on_its_way))
        await until_waiting_for_the_append_lock(trial.owner)
        second = asyncio.create_task(answers_of(ledger, waits))
        await asyncio.sleep(0)
        closing = asyncio.create_task(ledger.close())
        await asyncio.sleep(0)
    await closing

    assert isinstance((await first)[0], Accepted)
    assert isinstance((await second)[0], LedgerUnavailable)
    with pytest.raises(LedgerUnavailable):
        await ledger.append(note())
    assert await counted(trial, on_its_way, waits) == [1, 0]
