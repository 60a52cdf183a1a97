"""A broker a module with a topic of three partitions, made anew for each test, and a migrated database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import asyncpg
import pytest

from services.local.postgres import PostgresServer

if TYPE_CHECKING:  # kafka-python warns at its import, which this file is too early to have filtered
    from services.local.kafka import KafkaServer
    from tests.support.feeding import Feeder

PARTITIONS = 3


@pytest.fixture
def feeder(kafka: KafkaServer) -> Iterator[Feeder]:
    """Puts events on an empty topic."""
    from tests.support.feeding import Feeder
    from tests.support.relays import empty_topics

    empty_topics(kafka.bootstrap, PARTITIONS)
    one = Feeder(kafka.bootstrap, PARTITIONS)
    yield one
    one.close()


@pytest.fixture
def projector_dsn(postgres: PostgresServer, fresh_database: str) -> str:
    return postgres.dsn(fresh_database, "intabaza_projector")


@pytest.fixture
async def owner(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(postgres.dsn(fresh_database))
    yield connection
    await connection.close()
