"""Levels through their real tables: the same however the log is cut, shared out, delivered and begun again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from orjson import loads

from projections.alert_level import PROJECTION
from projections.alert_level.table import SQL
from projections.part import Part
from projections.projection import Connection
from services.local.postgres import PostgresServer
from tests.support.domain import HOME
from tests.support.examples import examples
from tests.support.level_histories import history
from tests.support.levels import UNIT, Log
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


async def test_an_engine_that_speaks_no_more_leaves_its_history_and_nothing_else(connection: Connection) -> None:
    log = Log().rules().engine().assigned("r").opened("a").assessed("a").engine(2).days(1).resolved("a")
    rows = [loads(row) for row in (await projected(connection, WITH_A_SECOND, log.events, batches=[2])).rows]
    assert {(row[0], row[1]) for row in rows if row[0] != "said"} == {
        ("case", 2),
        ("unit", 2),
        ("watch", 2),
        ("home", 2),
        ("history", 1),
        ("history", 2),
    }


async def test_what_is_due_is_asked_for_after_a_restart(connection: Connection) -> None:
    log = Log().rules().opened("a").assessed("a")
    await connection.execute(PROJECTION.table.definition)
    page, _ = Part(PROJECTION.fold).take(log.events)
    await PROJECTION.table.write(connection, {3: page})
    assert await PROJECTION.table.dues(connection, 3) == [("2026-05-20T22:00:00.000000Z", HOME)]
    assert await PROJECTION.table.dues(connection, 2) == []
    assert list(await PROJECTION.table.load_partition(connection, 3)) == [HOME]


async def test_units_are_read_as_the_engine_that_speaks_sees_them(connection: Connection) -> None:
    log = Log().rules().engine().opened("a", "tension").assessed("a").opened("b", unit="other")
    await connection.execute(WITH_A_SECOND.table.definition)
    part = Part(WITH_A_SECOND.fold)
    page, _ = part.take(log.events)
    await WITH_A_SECOND.table.write(connection, {0: page})

    assert [(row["unit"], row["level"]) for row in await connection.fetch(SQL["now"], None)] == [
        (UNIT, 1),
        ("other", 1),
    ]
    before = len(log.events)
    page, _ = part.take(log.engine(2).events[before:])
    await WITH_A_SECOND.table.write(connection, {0: page})
    assert [(row["unit"], row["level"]) for row in await connection.fetch(SQL["now"], [UNIT])] == [(UNIT, 2)]

    lines = await connection.fetch(SQL["history"], UNIT, 10, None)
    assert [(row["number"], row["before"], row["after"]) for row in lines] == [(2, 1, 2), (1, 0, 1)]
    assert [row["number"] for row in await connection.fetch(SQL["history"], UNIT, 10, 2)] == [1]
    assert [row["number"] for row in await connection.fetch(SQL["history"], UNIT, 1, None)] == [2]
