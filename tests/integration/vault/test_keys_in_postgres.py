"""What only the keys in Postgres have: few commits for many callers, wrapped rows, races, a server that goes away."""

from __future__ import annotations

import asyncio
from secrets import token_bytes
from uuid import uuid4

import asyncpg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from events.sealed import KeyKind, Under
from services.database.migrate import migrate
from services.local.postgres import PostgresServer
from services.vault.connection import connect_vault
from services.vault.keyring import KeyRing
from services.vault.keys import Need
from services.vault.master import MasterKey
from services.vault.refused import KeyGone, MasterKeyRefused, VaultUnavailable
from tests.support.vaults import PostgresVault, postgres_vault


def need(kind: KeyKind = KeyKind.REPORT, stream: str = "report/1") -> Need:
    return Need.of(Under(kind=kind, owner=uuid4()), stream)


async def test_sixty_four_callers_cost_a_few_commits(vault: PostgresVault, superuser: asyncpg.Connection) -> None:
    await vault.keys.keys_for([need()])
    before = await superuser.fetchval("select count(distinct xmin::text) from vault.key")
    keys = await asyncio.gather(*(vault.keys.keys_for([need(), need(KeyKind.PERSON)]) for _ in range(64)))
    assert len({key.key_id for answer in keys for key in answer.values()}) == 128
    commits = await superuser.fetchval("select count(distinct xmin::text) from vault.key") - before
    assert 1 <= commits <= 4


async def test_rings_of_two_processes_agree_on_every_key(
    vault: PostgresVault, postgres: PostgresServer, fresh_database: str
) -> None:
    async with postgres_vault(postgres.dsn(fresh_database, "intabaza_vault"), vault.master) as other:
        wanted = [need(kind) for kind in KeyKind for _ in range(100)]
        rings = [vault.keys, other.keys] * 4
        answers = await asyncio.gather(
            *(ring.keys_for(wanted if place % 4 < 2 else wanted[::-1]) for place, ring in enumerate(rings))
        )
        for one in wanted:
            assert len({answer[one].key_id for answer in answers}) == 1
            sealed = answers[0][one].cipher.encrypt(bytes(12), b"text", None)
            assert {answer[one].cipher.decrypt(bytes(12), sealed, None) for answer in answers} == {b"text"}


async def test_a_key_is_stored_wrapped_and_opens_with_no_other_master_key(
    vault: PostgresVault, postgres: PostgresServer, fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, secrets = need(), []

    def seen(count: int) -> bytes:
        secrets.append(token_bytes(count))
        return secrets[-1]

    monkeypatch.setattr("services.vault.keyring.token_bytes", seen)
    key = (await vault.keys.keys_for([wanted]))[wanted]
    (secret,) = secrets
    assert key.cipher.encrypt(bytes(12), b"", None) == AESGCM(secret).encrypt(bytes(12), b"", None)
    row = await vault.pool.fetchrow("select * from vault.key where key_id = $1", key.key_id)
    assert row is not None
    assert secret not in row["wrapped"]
    async with postgres_vault(postgres.dsn(fresh_database, "intabaza_vault")) as other_master:
        with pytest.raises(MasterKeyRefused, match="another master key"):
            await other_master.keys.open_keys([key.key_id])
        with pytest.raises(MasterKeyRefused, match="another master key"):
            await other_master.keys.keys_for([wanted])


async def test_destroying_a_key_wipes_its_row(vault: PostgresVault, superuser: asyncpg.Connection) -> None:
    wanted = need()
    key_id = (await vault.keys.keys_for([wanted]))[wanted].key_id
    await vault.keys.destroy([key_id])
    row = await superuser.fetchrow("select wrapped, destroyed_at from vault.key where key_id = $1", key_id)
    assert row is not None
    assert row["wrapped"] is None
    assert row["destroyed_at"] is not None


async def test_a_cancelled_caller_takes_nobody_with_it(vault: PostgresVault) -> None:
    leaving = asyncio.create_task(_keys(vault, need()))
    staying = asyncio.create_task(_keys(vault, need()))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 1
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def _keys(vault: PostgresVault, wanted: Need) -> int:
    return len(await vault.keys.keys_for([wanted]))


async def test_links_asked_for_together_are_those_and_no_others(
    vault: PostgresVault, superuser: asyncpg.Connection
) -> None:
    people = [uuid4() for _ in range(8)]
    erased = people[0]
    await vault.keys.erase(erased)
    answers = await asyncio.gather(
        *(vault.persons.pseudonym(person, uuid4()) for person in people),
        *(vault.persons.reporter_id(person, f"bi:home:{number}") for number, person in enumerate(people)),
        *(vault.persons.record_source(uuid4(), person) for person in people),
        return_exceptions=True,
    )
    assert [isinstance(answer, KeyGone) for answer in answers] == [True, *[False] * 7] * 3
    for table in ("pseudonym", "reporter", "report_source"):
        assert await superuser.fetchval(f"select count(*) from vault.{table}") == 7


async def test_a_ring_that_closes_leaves_nobody_waiting(vault: PostgresVault) -> None:
    waiting = [asyncio.create_task(_keys(vault, need())) for _ in range(3)]
    await asyncio.sleep(0)
    await vault.ring.close()
    for answer in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(answer, VaultUnavailable)


async def test_a_server_that_is_away_is_said_and_its_return_is_enough(durable_postgres: PostgresServer) -> None:
    await migrate(durable_postgres.dsn())
    pool = await connect_vault(durable_postgres.dsn(user="intabaza_vault"))
    ring = KeyRing(pool, MasterKey(token_bytes(32)))
    wanted = need()
    key_id = (await ring.keys_for([wanted]))[wanted].key_id
    durable_postgres.kill()
    with pytest.raises(VaultUnavailable, match="check its database") as refused:
        await ring.keys_for([need()])
    assert refused.value.__cause__ is None
    with pytest.raises(VaultUnavailable):
        await ring.open_keys([key_id])
    durable_postgres.start()
    # nothing had been appended under the key, so the crash could take it
    key_id = (await ring.keys_for([wanted]))[wanted].key_id
    assert key_id in await ring.open_keys([key_id])
    await ring.close()
    await pool.close()


async def test_a_vault_that_cannot_be_reached_says_so() -> None:
    with pytest.raises(VaultUnavailable, match="connect") as refused:
        await connect_vault("postgresql://intabaza_vault@127.0.0.1:1/none")
    assert refused.value.__cause__ is None
