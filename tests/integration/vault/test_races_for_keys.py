"""Races between making keys, erasing people and making the same keys elsewhere, each held still at its worst moment."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from events.sealed import KeyKind, Under
from services.vault.connection import QUERIES
from services.vault.keys import Need
from services.vault.refused import KeyGone
from tests.support.vaults import PostgresVault

WAITING = """
select count(*) from pg_locks l join pg_stat_activity a using (pid)
where not l.granted and a.datname = current_database()
"""


async def until_waiting(watcher: asyncpg.Connection, count: int, *tasks: asyncio.Task[object]) -> None:
    """Wait until so many statements wait for a lock; fails when a task ended instead."""
    async with asyncio.timeout(20):
        while await watcher.fetchval(WAITING) < count:
            assert not any(task.done() for task in tasks), "it did not wait"


def of_person(person: UUID) -> tuple[Need, Need]:
    """The two ways a key belongs to somebody: it is theirs, or its text speaks of them."""
    return (
        Need.of(Under(kind=KeyKind.PERSON, owner=person), "report/1"),
        Need.of(Under(kind=KeyKind.REPORT, owner=uuid4()), "report/1", frozenset({person})),
    )


async def make(connection: asyncpg.pool.PoolConnectionProxy, *needs: Need) -> list[asyncpg.Record]:
    """Make keys in a transaction of the test's own; what is wrapped does not matter here."""
    return await connection.fetch(
        QUERIES["make_keys"],
        [need.kind.value for need in needs],
        [need.subject for need in needs],
        [need.person_id for need in needs],
        [uuid4() for _ in needs],
        [b"wrapped" for _ in needs],
        1,
        [place for place, need in enumerate(needs, 1) for _ in need.speaks_of],
        [person for need in needs for person in need.speaks_of],
    )


@pytest.mark.parametrize("known", [True, False])
async def test_an_erasure_finds_the_key_that_was_being_made_before_it(
    vault: PostgresVault, superuser: asyncpg.Connection, known: bool
) -> None:
    for place in range(2):
        person = uuid4()
        if known:
            await superuser.execute("insert into vault.person (person_id) values ($1)", person)
        wanted = of_person(person)[place]
        async with vault.pool.acquire() as making:
            transaction = making.transaction()
            await transaction.start()
            ((_, key_id, *_),) = await make(making, wanted)
            erasing = asyncio.create_task(vault.keys.erase(person))
            await until_waiting(superuser, 1, erasing)
            await transaction.commit()
        assert await erasing == {key_id}


@pytest.mark.parametrize("known", [True, False])
async def test_a_key_is_not_made_for_a_person_who_was_being_erased_before_it(
    vault: PostgresVault, superuser: asyncpg.Connection, known: bool
) -> None:
    for place in range(2):
        person = uuid4()
        if known:
            await superuser.execute("insert into vault.person (person_id) values ($1)", person)
        wanted = of_person(person)[place]
        async with vault.pool.acquire() as erasing:
            transaction = erasing.transaction()
            await transaction.start()
            await erasing.fetch(QUERIES["erase_person"], person)
            making = asyncio.create_task(_made(vault, wanted))
            await until_waiting(superuser, 1, making)
            await transaction.commit()
        with pytest.raises(KeyGone):
            await making
        assert not await superuser.fetchval(
            "select count(*) from vault.key where subject = $1 and wrapped is not null", wanted.subject
        )


async def test_makers_of_the_same_keys_in_another_order_do_not_deadlock(
    vault: PostgresVault, superuser: asyncpg.Connection
) -> None:
    """A third holds the middle one back, so that both have begun: in their callers' order each would hold an end."""
    ends_and_middle = sorted((of_person(uuid4())[1] for _ in range(3)), key=lambda need: need.subject)
    wanted = [Need(need.kind, need.subject) for need in ends_and_middle]
    async with vault.pool.acquire() as first, vault.pool.acquire() as second, vault.pool.acquire() as third:
        transaction = third.transaction()
        await transaction.start()
        await make(third, wanted[1])
        forth = asyncio.create_task(make(first, *wanted))
        await until_waiting(superuser, 1, forth)
        back = asyncio.create_task(make(second, *reversed(wanted)))
        await until_waiting(superuser, 2, forth, back)
        await transaction.rollback()
        made = {row["key_id"] for row in await forth}
        assert {row["key_id"] for row in await back} == made
        assert len(made) == 3


async def _made(vault: PostgresVault, wanted: Need) -> object:
    return await vault.keys.keys_for([wanted])
