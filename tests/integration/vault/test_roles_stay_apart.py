"""The vault's role and the application's cannot read or change what is the other's, nor the vault's own rows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.local.postgres import PostgresServer

VAULT_TABLES = ("key", "person", "speaks_of", "report_source", "pseudonym", "reporter")


@pytest.fixture(params=["intabaza_app", "intabaza_vault"])
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def as_role(postgres: PostgresServer, fresh_database: str, role: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.dsn(fresh_database, role))
    yield connection
    await connection.close()


async def refused(connection: asyncpg.Connection, statement: str) -> bool:
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


@pytest.mark.parametrize("role", ["intabaza_app"], indirect=True)
async def test_the_application_sees_nothing_of_the_vault(as_role: asyncpg.Connection) -> None:
    for table in VAULT_TABLES:
        assert await refused(as_role, f"select * from vault.{table}")
        assert await refused(as_role, f"delete from vault.{table}")
    for call in (
        "vault.make_keys('{}', '{}', '{}', '{}', '{}', 1::smallint, '{}', '{}')",
        "vault.destroy_keys('{}')",
        "vault.erase_person(gen_random_uuid())",
        "vault.hold_persons('{}')",
    ):
        assert await refused(as_role, f"select {call}")


@pytest.mark.parametrize("role", ["intabaza_vault"], indirect=True)
async def test_the_vault_sees_nothing_of_the_ledger(as_role: asyncpg.Connection) -> None:
    assert await refused(as_role, "select * from ledger.event")
    assert await refused(as_role, "delete from ledger.event")


@pytest.mark.parametrize("role", ["intabaza_vault"], indirect=True)
async def test_the_vault_changes_and_takes_away_nothing_but_through_its_functions(as_role: asyncpg.Connection) -> None:
    for table in VAULT_TABLES:
        assert not await refused(as_role, f"select * from vault.{table}")
        assert await refused(as_role, f"delete from vault.{table}")
        assert await refused(as_role, f"truncate vault.{table}")
    assert await refused(as_role, "update vault.key set wrapped = null, destroyed_at = clock_timestamp()")
    assert await refused(as_role, "update vault.person set phone_mac = null")
    assert await refused(
        as_role, "insert into vault.key (key_id, kind, subject, wrap_version) values (gen_random_uuid(), 'case', '', 1)"
    )


@pytest.mark.parametrize("role", ["intabaza_vault"], indirect=True)
@pytest.mark.parametrize(
    "call",
    [
        "vault.make_keys('{}', '{}', '{}', '{}', '{}', 1::smallint, '{}', '{}')",
        "vault.destroy_keys('{}')",
        "vault.erase_person(gen_random_uuid())",
    ],
)
async def test_keys_are_made_and_destroyed_under_read_committed_only(as_role: asyncpg.Connection, call: str) -> None:
    transaction = as_role.transaction(isolation="repeatable_read")
    await transaction.start()
    with pytest.raises(asyncpg.RaiseError, match="READ COMMITTED"):
        await as_role.execute(f"select {call}")
    await transaction.rollback()
