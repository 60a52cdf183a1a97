"""What the application's role may not do to the ledger, tried as that role."""

from __future__ import annotations

from typing import TypeAlias

import asyncpg
import pytest

from services.local.postgres import PostgresServer
from tests.support.ledgers import PostgresTrial, note

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger.event set home = 'elsewhere'",
        "delete from ledger.event",
        "truncate ledger.event",
        "insert into ledger.event select * from ledger.event",
        "copy ledger.event from stdin",
        "delete from ledger.burned",
        "insert into ledger.burned values (gen_random_uuid(), now())",
        "update ledger.state set door_shut_because = null",
        "update ledger.state set simulated = true",
        "select * from ledger.event for update",
        "alter table ledger.event disable trigger all",
        "drop table ledger.event",
        "create table ledger.mine (n int)",
        "create table public.mine (n int)",
        "create function ledger.clock() returns int language sql return 1",
        "select ledger.simulate(now())",
        "select * from vault.key",
        "update vault.key set destroyed_at = null",
        "set role intabaza_owner",
        "set role intabaza_vault",
    ],
)
async def test_the_application_cannot(trial: PostgresTrial, app: Connection, statement: str) -> None:
    await trial.ledger.append(note())
    before = await trial.owner.fetch("select * from ledger.event")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(statement)

    assert await trial.owner.fetch("select * from ledger.event") == before


@pytest.mark.parametrize(
    "statement", ["update ledger.event set home = 'x'", "delete from ledger.event", "truncate ledger.event"]
)
async def test_not_even_the_owner_rewrites_history_by_accident(trial: PostgresTrial, statement: str) -> None:
    await trial.ledger.append(note())

    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await trial.owner.execute(statement)


async def test_objects_of_a_callers_own_do_not_get_into_the_ledgers_functions(
    trial: PostgresTrial, app: Connection
) -> None:
    await app.execute("create temp table event (position bigint); insert into event values (1000)")
    await app.execute("set search_path = pg_temp, ledger, public")

    await app.fetchval("select count(*) from ledger.ask(gen_random_uuid())")
    accepted = await trial.ledger.append(note())

    assert accepted.placed[0].position == 1


async def test_the_vaults_role_holds_the_append_lock_and_reads_no_event(
    trial: PostgresTrial, postgres: PostgresServer, fresh_database: str
) -> None:
    vault = await asyncpg.connect(postgres.dsn(fresh_database, "intabaza_vault"))
    try:
        await vault.execute("select ledger.hold()")
        for statement in ("select * from ledger.event", "select ledger.open_door()"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await vault.execute(statement)
    finally:
        await vault.close()


async def test_a_reader_reads_and_does_nothing_else(trial: PostgresTrial) -> None:
    await trial.ledger.append(note())
    await trial.owner.execute("set role intabaza_reader")

    assert await trial.owner.fetchval("select count(*) from ledger.event") == 1
    for statement in (
        "select ledger.hold()",
        "delete from ledger.event",
        "select * from ledger.ask(gen_random_uuid())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await trial.owner.execute(statement)
    await trial.owner.execute("reset role")


async def test_none_of_the_roles_is_above_the_rules(trial: PostgresTrial) -> None:
    roles = await trial.owner.fetch(
        "select rolname, rolcanlogin from pg_roles where rolname like 'intabaza%'"
        " and not (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication) order by rolname"
    )
    assert [tuple(role) for role in roles] == [
        ("intabaza_app", True),
        ("intabaza_notary", True),
        ("intabaza_notifier", True),
        ("intabaza_owner", False),
        ("intabaza_projector", True),
        ("intabaza_reader", False),
        ("intabaza_vault", True),
    ]
