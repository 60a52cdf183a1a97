"""A database a test, with a ledger and subscribers on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.local.postgres import PostgresServer
from tests.support.notifying import NotifyTrial, notify_trial


@pytest.fixture
async def trial(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[NotifyTrial]:
    roles = ("postgres", "intabaza_app", "intabaza_notifier")
    async with notify_trial({role: postgres.dsn(fresh_database, role) for role in roles}) as each:
        yield each
