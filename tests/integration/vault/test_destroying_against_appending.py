"""A destroyed key refuses the append, and no race leaves an event under a key that was destroyed before it."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from events.sealed import KeyKind
from services.ledger.ledger import Accepted, KeyDestroyed
from services.ledger.postgres import PostgresLedger
from services.vault.refused import KeyGone
from services.vault.sealing import Sealer
from tests.support.vaults import PostgresVault, Told, clear, submission_of


async def test_a_destroyed_key_refuses_the_append(vault: PostgresVault, ledger: PostgresLedger) -> None:
    report, person = uuid4(), uuid4()
    stream = f"report/{report}"
    told = Told(text=clear("a", KeyKind.REPORT, report), contact=clear("b", KeyKind.PERSON, person))
    sealed, key_ids = await Sealer(vault.keys).seal(stream, 1, [told])
    await vault.keys.erase(person)
    with pytest.raises(KeyDestroyed):
        await ledger.append(submission_of(stream, sealed, key_ids))
    assert await ledger.read_stream(stream) == []
    with pytest.raises(KeyGone):
        await Sealer(vault.keys).seal(stream, 1, [told])


async def test_an_append_that_waits_for_a_destruction_is_refused(
    vault: PostgresVault, ledger: PostgresLedger, superuser: asyncpg.Connection
) -> None:
    report = uuid4()
    stream = f"report/{report}"
    sealed, key_ids = await Sealer(vault.keys).seal(stream, 1, [Told(text=clear("a", KeyKind.REPORT, report))])
    async with vault.pool.acquire() as destroying:
        transaction = destroying.transaction()
        await transaction.start()
        await destroying.fetch("select vault.destroy_keys($1)", list(key_ids))
        append = asyncio.create_task(ledger.append(submission_of(stream, sealed, key_ids)))
        async with asyncio.timeout(20):
            while not await superuser.fetchval(
                "select exists (select from pg_locks where locktype = 'advisory' and not granted"
                " and database = (select oid from pg_database where datname = current_database()))"
            ):
                assert not append.done()
        await transaction.commit()
    with pytest.raises(KeyDestroyed):
        await append
    assert await ledger.read_stream(stream) == []


async def test_no_race_leaves_an_event_under_a_key_destroyed_before_it(
    vault: PostgresVault, ledger: PostgresLedger, superuser: asyncpg.Connection
) -> None:
    for race in range(60):
        report = uuid4()
        stream = f"report/{report}"
        sealed, key_ids = await Sealer(vault.keys).seal(stream, 1, [Told(text=clear("a", KeyKind.REPORT, report))])
        append, destroy = ledger.append(submission_of(stream, sealed, key_ids)), vault.keys.destroy(key_ids)
        both = (append, destroy) if race % 2 else (destroy, append)
        answers = await asyncio.gather(*both, return_exceptions=True)
        answer, destroyed = answers if race % 2 else answers[::-1]
        assert destroyed == key_ids
        assert isinstance(answer, Accepted | KeyDestroyed)
        after = await superuser.fetchval(
            "select count(*) from ledger.event e, vault.key k"
            " where e.stream = $1 and k.key_id = any ($2::uuid[]) and e.recorded_at > k.destroyed_at",
            stream,
            list(key_ids),
        )
        assert after == 0
        assert len(await ledger.read_stream(stream)) == isinstance(answer, Accepted)


async def test_many_appends_and_destructions_at_once_end_without_a_deadlock(
    vault: PostgresVault, ledger: PostgresLedger
) -> None:
    """Each destruction names the keys of many appends, in another order than they do."""
    sealed_events = []
    case = uuid4()
    for _ in range(60):
        report = uuid4()
        told = Told(text=clear("a", KeyKind.REPORT, report), note=clear("b", KeyKind.CASE, case))
        sealed_events.append((f"report/{report}", *await Sealer(vault.keys).seal(f"report/{report}", 1, [told])))
    every_key = sorted({key_id for _, _, key_ids in sealed_events for key_id in key_ids}, reverse=True)
    answers = await asyncio.gather(
        *(ledger.append(submission_of(*sealed)) for sealed in sealed_events[:30]),
        *(vault.keys.destroy(every_key[start::6]) for start in range(6)),
        *(ledger.append(submission_of(*sealed)) for sealed in sealed_events[30:]),
        return_exceptions=True,
    )
    assert {type(answer) for answer in answers} <= {Accepted, KeyDestroyed, frozenset}
    destroyed = [answer for answer in answers if isinstance(answer, frozenset)]
    assert frozenset().union(*destroyed) == frozenset(every_key)


async def test_a_destruction_that_is_rolled_back_destroys_nothing(vault: PostgresVault) -> None:
    report = uuid4()
    _, key_ids = await Sealer(vault.keys).seal("report/1", 1, [Told(text=clear("a", KeyKind.REPORT, report))])
    async with vault.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert await connection.fetch("select vault.destroy_keys($1)", list(key_ids))
        await transaction.rollback()
    assert set(await vault.keys.open_keys(key_ids)) == key_ids
