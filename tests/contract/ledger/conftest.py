"""Every adapter of the ledger, on trial in the same tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from services.ledger.ledger import Ledger
from services.local.postgres import PostgresServer
from tests.support.ledgers import MemoryTrial, Trial, postgres_trial

SCENARIO_BEGINS = datetime(2027, 3, 1, 6, 0, tzinfo=UTC)


@pytest.fixture(params=["memory", "postgres"])
def place(request: pytest.FixtureRequest) -> tuple[str, str] | None:
    """Where the adapter lives: as owner and as the application, or nowhere."""
    if request.param == "memory":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    database: str = request.getfixturevalue("fresh_database")
    return server.dsn(database), server.dsn(database, "intabaza_app")


@asynccontextmanager
async def _trial(place: tuple[str, str] | None, simulated_from: datetime | None = None) -> AsyncIterator[Trial]:
    if place is None:
        yield MemoryTrial(simulated_from)
    else:
        async with postgres_trial(*place, simulated_from) as trial:
            yield trial


@pytest.fixture
async def trial(place: tuple[str, str] | None) -> AsyncIterator[Trial]:
    async with _trial(place) as each:
        yield each


@pytest.fixture
def ledger(trial: Trial) -> Ledger:
    return trial.ledger


@pytest.fixture
async def simulated(place: tuple[str, str] | None) -> AsyncIterator[Trial]:
    """A trial of a ledger whose clock the scenario sets; it stands at SCENARIO_BEGINS."""
    async with _trial(place, SCENARIO_BEGINS) as each:
        yield each
