"""Migrations: applied once by whoever starts first, refused when edited, left out or newer than this program."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from services.database.migrate import MIGRATIONS, MigrationRefused, migrate, read_migrations
from services.local.postgres import PostgresServer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of our migrations that a test may spoil."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


async def recorded(dsn: str) -> list[tuple[int, str, str]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch("select number, name, sha256 from migration order by 1")]
    finally:
        await connection.close()


async def test_each_migration_is_recorded_with_its_hash(postgres: PostgresServer, empty_database: str) -> None:
    await migrate(postgres.dsn(empty_database))

    assert await recorded(postgres.dsn(empty_database)) == [
        (migration.number, migration.name, migration.sha256) for migration in read_migrations()
    ]


async def test_many_may_start_at_once_and_each_migration_is_applied_once(
    postgres: PostgresServer, empty_database: str
) -> None:
    await asyncio.gather(*(migrate(postgres.dsn(empty_database)) for _ in range(6)))

    assert len(await recorded(postgres.dsn(empty_database))) == len(read_migrations())


async def test_databases_of_one_new_cluster_may_migrate_at_once(durable_postgres: PostgresServer) -> None:
    # Roles belong to the cluster: on a new one, several databases make the same roles at the same moment.
    owner = await asyncpg.connect(durable_postgres.dsn())
    names = [f"test_{uuid4().hex}" for _ in range(5)]
    for name in names:
        await owner.execute(f'create database "{name}"')
    await asyncio.gather(*(migrate(durable_postgres.dsn(name)) for name in names))

    for name in names:
        assert len(await recorded(durable_postgres.dsn(name))) == len(read_migrations())
    await owner.close()


async def test_an_edited_migration_is_refused_and_changes_nothing(
    postgres: PostgresServer, fresh_database: str, folder: Path
) -> None:
    edited = folder / "0003_ledger.sql"
    edited.write_text(edited.read_text() + "\n-- a thought that came later\n")
    (folder / "9000_new.sql").write_text("create table public.new_table (n int)")

    with pytest.raises(MigrationRefused, match=r"0003_ledger\.sql was edited .* as a new migration"):
        await migrate(postgres.dsn(fresh_database), folder)

    assert 9000 not in [number for number, _, _ in await recorded(postgres.dsn(fresh_database))]


async def test_a_database_that_is_newer_than_the_program_is_refused(
    postgres: PostgresServer, fresh_database: str, folder: Path
) -> None:
    (folder / "9000_new.sql").write_text("create table public.new_table (n int)")
    await migrate(postgres.dsn(fresh_database), folder)

    with pytest.raises(MigrationRefused, match=r"9000_new\.sql, which this program does not know: start a newer"):
        await migrate(postgres.dsn(fresh_database))


async def test_a_migration_that_slips_in_below_an_applied_one_is_refused(
    postgres: PostgresServer, fresh_database: str, folder: Path
) -> None:
    (folder / "0000_late.sql").write_text("select 1")

    with pytest.raises(MigrationRefused, match=r"0000_late\.sql was never applied"):
        await migrate(postgres.dsn(fresh_database), folder)


async def test_a_migration_that_fails_leaves_nothing_behind(
    postgres: PostgresServer, fresh_database: str, folder: Path
) -> None:
    before = await recorded(postgres.dsn(fresh_database))
    (folder / "9000_broken.sql").write_text("create table public.half (n int); select 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(postgres.dsn(fresh_database), folder)

    assert await recorded(postgres.dsn(fresh_database)) == before
    connection = await asyncpg.connect(postgres.dsn(fresh_database))
    assert await connection.fetchval("select to_regclass('public.half')") is None
    await connection.close()


@pytest.mark.parametrize(
    ("name", "sentence"), [("ledger.sql", "is not named like"), ("0003_other.sql", "have one number")]
)
def test_a_file_without_a_number_of_its_own_is_refused(folder: Path, name: str, sentence: str) -> None:
    (folder / name).write_text("select 1")

    with pytest.raises(MigrationRefused, match=sentence):
        read_migrations(folder)


async def test_a_role_that_is_no_superuser_may_migrate_its_own_database(durable_postgres: PostgresServer) -> None:
    owner = await asyncpg.connect(durable_postgres.dsn())
    await owner.execute("create role deployer login createrole")
    await owner.execute("create database theirs owner deployer")

    await migrate(durable_postgres.dsn("theirs", "deployer"))

    assert len(await recorded(durable_postgres.dsn("theirs", "deployer"))) == len(read_migrations())
    await owner.close()
