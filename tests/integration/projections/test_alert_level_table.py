"""Levels through their real tables: the same however the log is cut, shared out, delivered and begun again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.alert_level import PROJECTION
from projections.projection import Connection
from services.local.postgres import PostgresServer
from tests.support.examples import examples
from tests.support.level_histories import history
from tests.support.projected import projected
from tests.unit.alert_level.second_engine import WITH_A_SECOND


@pytest.fixture
async def connection(postgres: PostgresServer, empty_database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(postgres.dsn(empty_database))
    yield connection
    await connection.close()


@examples(25)
@given(
    seed=st.integers(0, 2**32),
    length=st.integers(1, 80),
    partitions=st.sampled_from([1, 3, 12]),
    batches=st.lists(st.integers(1, 20), min_size=1, max_size=4),
    restarts=st.lists(st.booleans(), min_size=1, max_size=5),
)
async def test_cuts_partitions_and_restarts_change_nothing(
    connection: Connection, seed: int, length: int, partitions: int, batches: list[int], restarts: list[bool]
) -> None:
    log = history(seed, length)
    whole = await projected(connection, PROJECTION, log)
    parts = await projected(connection, PROJECTION, log, partitions=partitions, batches=batches, restarts=restarts)

    assert parts.derived == whole.derived
    assert parts.rows == whole.rows


@examples(15)
@given(
    seed=st.integers(0, 2**32),
    length=st.integers(1, 80),
    partitions=st.sampled_from([1, 3]),
    batches=st.lists(st.integers(1, 20), min_size=1, max_size=4),
    restarts=st.lists(st.booleans(), min_size=1, max_size=5),
)
async def test_a_change_of_engines_is_the_same_however_it_is_cut(
    connection: Connection, seed: int, length: int, partitions: int, batches: list[int], restarts: list[bool]
) -> None:
    log = history(seed, length, engines=(1, 2))
    whole = await projected(connection, WITH_A_SECOND, log)
    parts = await projected(connection, WITH_A_SECOND, log, partitions=partitions, batches=batches, restarts=restarts)

    assert parts.derived == whole.derived
    assert parts.rows == whole.rows
