"""A broker a module, and a ledger with relays on it, for the folders that need one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

from services.local.postgres import PostgresServer
from tests.conftest import server_folder
from tests.support.brokers import a_broker, collect_forgotten_sockets

if TYPE_CHECKING:  # kafka-python warns at its import, which this file is too early to have filtered
    from services.local.kafka import KafkaServer
    from tests.support.relays import RelayTrial


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaServer]:
    """A node on a port that it keeps over restarts."""
    with a_broker(server_folder() / "kafka") as server:
        yield server


@pytest.fixture
async def trial(kafka: KafkaServer, postgres: PostgresServer, fresh_database: str) -> AsyncIterator[RelayTrial]:
    """Empty topics and an empty ledger."""
    from tests.support.relays import relay_trial

    async with relay_trial(kafka, postgres.dsn(fresh_database), postgres.dsn(fresh_database, "intabaza_app")) as each:
        yield each
    collect_forgotten_sockets()
