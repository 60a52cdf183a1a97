"""`ledger.append` itself: what it refuses to rely on, and what it does with a group that should not have been sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg
import pytest

from events.envelope import BODY_LIMIT_BYTES, SPLICE_VERSION
from services import clock
from services.ledger.batcher import SQL
from services.ledger.group import arguments
from services.ledger.ledger import Submission
from tests.support.ledgers import PostgresTrial, a_stream, events_for, note, unmoved, until_waiting_for_the_append_lock

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def send(connection: Connection, *submissions: Submission) -> Sequence[asyncpg.Record]:
    return await connection.fetch(SQL["append"], clock.now(), SPLICE_VERSION, *arguments(submissions))


@pytest.mark.parametrize("isolation", ["repeatable_read", "serializable"])
async def test_a_kept_snapshot_is_refused(trial: PostgresTrial, app: Connection, isolation: Any) -> None:
    for statement in ("select ledger.hold()", "select * from ledger.ask(gen_random_uuid())"):
        with pytest.raises(asyncpg.InvalidTransactionStateError, match="READ COMMITTED only"):
            async with app.transaction(isolation=isolation):
                await app.execute(statement)
    with pytest.raises(asyncpg.InvalidTransactionStateError, match="READ COMMITTED only"):
        async with app.transaction(isolation=isolation):
            await send(app, note())

    assert (await trial.ledger.head()).position == 0


async def test_an_append_is_synced_whatever_the_caller_had_set(app: Connection) -> None:
    await app.execute("set synchronous_commit = off")
    async with app.transaction():
        await send(app, note())
        assert await app.fetchval("show synchronous_commit") == "on"
    assert await app.fetchval("show synchronous_commit") == "off"


async def test_the_table_holds_the_same_size_limit_as_the_wire(trial: PostgresTrial, app: Connection) -> None:
    stream = a_stream()
    row = "1, $1, 1, gen_random_uuid(), 't', 'h', now(), gen_random_uuid(), '', convert_to(repeat('x', $2), 'UTF8'), 1"
    with pytest.raises(asyncpg.CheckViolationError):
        await trial.owner.execute(f"insert into ledger.event values ({row})", stream, BODY_LIMIT_BYTES + 1)
    await trial.owner.execute(f"insert into ledger.event values ({row})", stream, BODY_LIMIT_BYTES)


async def test_each_member_of_a_group_is_decided_alone(trial: PostgresTrial, app: Connection) -> None:
    known, reused, moved, taken = note(), note(), a_stream(), a_stream()
    await send(app, known, reused, note(moved), note(taken, home="bi:home:9"))
    burned = note()
    await trial.ledger.ask(burned.command_id)

    rows = await send(
        app,
        note(count=2),
        known,
        note(command_id=reused.command_id, mac=b"\x02" * 32),
        burned,
        note(moved),
        note(taken, expected=1),
        note(keys=frozenset([uuid4()])),
        note(),
    )

    assert [(row["outcome"], row["first_position"]) for row in rows] == [
        ("accepted", 5),
        ("repeated", None),
        ("reused", None),
        ("burned", None),
        ("conflict", None),
        ("home_changed", None),
        ("key_destroyed", None),
        ("accepted", 7),
    ]
    assert (await trial.ledger.head()).position == 7


async def test_a_group_that_shares_what_it_writes_is_refused_whole(trial: PostgresTrial, app: Connection) -> None:
    stream, command = a_stream(), uuid4()
    for group in (
        (note(stream), note(stream)),
        (note(stream), note(also=(unmoved(stream, 0),))),
        (note(also=(unmoved(stream, 0),)), note(stream)),
        (note(stream, also=(events_for(uuid4(), stream, 1),)),),
        (note(command_id=command), note(command_id=command)),
        (Submission(uuid4(), b"", (unmoved(stream, 0),)), note()),
    ):
        with pytest.raises(asyncpg.CardinalityViolationError):
            await send(app, *group)

    assert (await trial.ledger.head()).position == 0


async def test_members_that_only_read_a_stream_may_share_it(app: Connection) -> None:
    stream = a_stream()
    rows = await send(app, *(note(also=(unmoved(stream, 0),)) for _ in range(3)))
    assert [row["outcome"] for row in rows] == ["accepted"] * 3


async def test_a_processor_may_hold_the_ledger_and_append_last_in_its_own_transaction(
    trial: PostgresTrial, app: Connection
) -> None:
    derived, primary = note(), note()
    async with app.transaction():
        await app.execute("select ledger.hold()")
        waiting = asyncio.create_task(trial.ledger.append(primary))
        await until_waiting_for_the_append_lock(trial.owner)
        await send(app, derived)
    assert (await waiting).placed[0].position == 2
    assert (await trial.ledger.read(0, limit=1))[0].command_id == derived.command_id


async def test_an_append_that_is_rolled_back_leaves_no_gap(trial: PostgresTrial, app: Connection) -> None:
    transaction = app.transaction()
    await transaction.start()
    await send(app, note(count=3))
    await transaction.rollback()

    assert (await trial.ledger.append(note())).placed[0].position == 1


async def test_a_ledger_that_was_begun_cannot_become_simulated(trial: PostgresTrial) -> None:
    await trial.ledger.append(note())
    with pytest.raises(asyncpg.RaiseError, match="begun already"):
        await trial.owner.execute("select ledger.simulate(now())")
