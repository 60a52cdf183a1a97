"""What every test may ask for: markers by folder, and a PostgreSQL server of this worker's own."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from services.database.migrate import migrate
from services.local.postgres import PostgresServer
from tests.support import domain  # noqa: F401 - it loads the profile that holds and names others

TESTS = Path(__file__).parent
TEMPLATE = "with_migrations"
IN_LINE = ("faults/test_faults.py", "acceptance", "integration", "contract", "faults")
"""What runs first; the other faults far behind, so that no two workers strike two stacks at once on two cores."""


def pytest_configure(config: pytest.Config) -> None:
    """kafka-python 3.0.12 reads its schemas by functions that Python 3.11 and 3.12 call deprecated; nothing of ours.

    A broker of a test lives too short for what Java's second compiler does to be worth a quarter of its time.
    """
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")  # noqa: TID251 - Java itself reads it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test carries the name of its first folder as its marker; those that take minutes begin first.

    With files of milliseconds at the end no worker of two is left alone with minutes of work.
    """
    for item in items:
        if item.path.is_relative_to(TESTS):
            item.add_marker(item.path.relative_to(TESTS).parts[0])
    items.sort(key=_place_in_line)


def _place_in_line(item: pytest.Item) -> int:
    for place, first in enumerate(IN_LINE):
        if item.path.is_relative_to(TESTS / first):
            return place
    return len(IN_LINE)


def server_folder() -> Path:
    """A new folder for one server: short enough for a socket and, for root, passable for `nobody`."""
    folder = Path(tempfile.mkdtemp(prefix="intabaza-test-", dir="/var/tmp" if os.geteuid() == 0 else None))
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server a worker, on its unix socket, everybody trusted, without any fsync."""
    server = PostgresServer(server_folder(), durable=False)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def durable_postgres() -> Iterator[PostgresServer]:
    """A server of the test's own that syncs, for tests that `kill()`, `start()` or `restart()` it."""
    server = PostgresServer(server_folder())
    server.start()
    yield server
    server.remove()


@pytest.fixture
async def empty_database(postgres: PostgresServer) -> AsyncIterator[str]:
    """The name of a new database with nothing in it."""
    async for name in _database(postgres, "template1"):
        yield name


@pytest.fixture
async def fresh_database(postgres: PostgresServer, _migrated_template: str) -> AsyncIterator[str]:
    """The name of a new database with all migrations applied: `postgres.dsn(fresh_database)`."""
    async for name in _database(postgres, _migrated_template):
        yield name


@pytest.fixture(scope="session")
async def _migrated_template(postgres: PostgresServer) -> str:
    await _execute(postgres, f'CREATE DATABASE "{TEMPLATE}"')
    await migrate(postgres.dsn(TEMPLATE))
    return TEMPLATE


async def _database(postgres: PostgresServer, template: str) -> AsyncIterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    await _execute(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    if template == TEMPLATE:  # a template passes on everything but this grant on the database itself
        await _execute(postgres, f'GRANT CREATE ON DATABASE "{name}" TO intabaza_projector')
    yield name
    await _execute(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _execute(postgres: PostgresServer, statement: str) -> None:
    connection = await asyncpg.connect(postgres.dsn())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
