"""The database of one stack: made if missing, migrated at every start, its roles given their passwords."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import asyncpg

from services.database.migrate import MigrationRefused, migrate
from services.local.problems import FolderUnusable
from services.local_problem import LocalProblem

DATABASE = "intabaza"


def prepare_local_database(server_dsn: str, database_dsn: str, passwords: Mapping[str, str]) -> None:
    """Make our database on our own server, migrate it, and set the passwords of the roles that log in."""
    try:
        asyncio.run(_prepare_local(server_dsn, database_dsn, passwords))
    except asyncpg.DiskFullError as error:
        raise FolderUnusable(
            "The disk is full, so the database could not be prepared: free some space, then start again."
        ) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise LocalProblem(
            f"The local PostgreSQL did not let its database be prepared ({type(error).__name__}: {error}): "
            "see `intabaza logs postgres`."
        ) from error


def prepare_external_database(dsn: str) -> None:
    """Check that an existing PostgreSQL answers and migrate the database that the setting names."""
    try:
        asyncio.run(_migrate(dsn))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise LocalProblem(
            f"The PostgreSQL that INTABAZA_POSTGRES_DSN names could not be used ({type(error).__name__}: {error}): "
            "start it, or correct the setting; its role must be able to create roles and schemas."
        ) from error


async def _prepare_local(server_dsn: str, database_dsn: str, passwords: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(server_dsn)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        await _migrate(database_dsn)
        for role, password in passwords.items():
            # ALTER ROLE takes no parameters; the server quotes what it is given
            statement = await connection.fetchval(
                "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)", role, password
            )
            await connection.execute(statement)
    finally:
        await connection.close()


async def _migrate(dsn: str) -> None:
    try:
        await migrate(dsn)
    except MigrationRefused as error:
        raise LocalProblem(f"The database was left as it is: {error}.") from error
