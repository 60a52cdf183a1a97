"""Numbered migrations: whoever starts first applies them, nobody applies one twice, and an edited one is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import asyncpg

MIGRATIONS = Path(__file__).parent / "migrations"

_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_LOCK = 7_310_394_218_800_001
"""Advisory lock of this database for migrating; any number that nothing else here uses."""

_RECORD = """
create table if not exists public.migration (
    number integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
)
"""


class MigrationRefused(Exception):
    """The database and this program's migrations do not fit together; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL file."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def read_migrations(folder: Path = MIGRATIONS) -> Sequence[Migration]:
    """Read a folder's migrations in order of number; two of one number are refused."""
    migrations: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        named = _FILE.match(path.name)
        if named is None:
            raise MigrationRefused(f"{path.name} is not named like 0001_what_it_makes.sql: rename it")
        number = int(named[1])
        if number in migrations:
            raise MigrationRefused(f"{path.name} and {migrations[number].name} have one number: give one the next")
        migrations[number] = Migration(number, path.name, path.read_text("utf-8"))
    return list(migrations.values())


async def migrate(dsn: str, folder: Path = MIGRATIONS, *, through: int | None = None) -> None:
    """Bring a database to this program's newest migration, as a role that may create roles and schemas.

    With `through` to that one and no further, for rows that were written under it. Safe to call from many processes at
    once. Raises MigrationRefused where an applied migration was edited or left out, or where the database is newer than
    this program.
    """
    migrations = read_migrations(folder)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        await connection.execute(f"set client_min_messages = warning; {_RECORD}")
        applied = {row["number"]: row for row in await connection.fetch("select * from public.migration")}
        _refuse_what_does_not_fit(migrations, applied)
        for migration in migrations:
            if migration.number not in applied and (through is None or migration.number <= through):
                await _apply(connection, migration)
    finally:
        await connection.close()


def _refuse_what_does_not_fit(migrations: Sequence[Migration], applied: dict[int, asyncpg.Record]) -> None:
    newest = max(applied, default=0)
    known = {migration.number: migration for migration in migrations}
    for number, row in sorted(applied.items()):
        if number not in known:
            raise MigrationRefused(
                f"the database has migration {row['name']}, which this program does not know: start a newer release"
            )
        if known[number].sha256 != row["sha256"]:
            raise MigrationRefused(
                f"migration {known[number].name} was edited after it had been applied to this database: "
                "put its text back and write the change as a new migration"
            )
    for migration in migrations:
        if migration.number < newest and migration.number not in applied:
            raise MigrationRefused(
                f"migration {migration.name} was never applied, yet a later one was: give it the next free number"
            )


async def _apply(connection: asyncpg.Connection[asyncpg.Record], migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute("reset role")
        await connection.execute(
            "insert into public.migration (number, name, sha256) values ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.sha256,
        )
