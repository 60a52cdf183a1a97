"""A broker a module, a database a test, and relays on both: in this process or in one of their own."""

from __future__ import annotations

import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

from services.local.postgres import PostgresServer
from services.settings import Settings
from tests.conftest import server_folder

if TYPE_CHECKING:  # kafka-python warns at its import, which this file is too early to have filtered
    from services.local.kafka import KafkaServer
    from tests.support.relays import RelayTrial


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaServer]:
    """A node on a port that it keeps over restarts."""
    from services.local.jars import kafka_jars
    from services.local.kafka import KafkaServer

    server = KafkaServer(server_folder() / "kafka", kafka_jars(Settings().cache_folder))
    server.start()
    server.wanted_port = server.port
    yield server
    server.stop()
    collect_forgotten_sockets()


@pytest.fixture
async def trial(kafka: KafkaServer, postgres: PostgresServer, fresh_database: str) -> AsyncIterator[RelayTrial]:
    """Empty topics and an empty ledger."""
    from tests.support.relays import relay_trial

    async with relay_trial(kafka, postgres.dsn(fresh_database), postgres.dsn(fresh_database, "intabaza_app")) as each:
        yield each
    collect_forgotten_sockets()


def collect_forgotten_sockets() -> None:
    """kafka-python 3.0.12 leaves a socket open whose connection was refused: it ends here, and in nobody's test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
