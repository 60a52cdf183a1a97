"""Coverage as it is read: unit by unit in order, by state and confidence, page by page, with its channels."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.coverage import PROJECTION
from projections.coverage.table import SQL
from projections.projection import Connection
from services.local.postgres import PostgresServer
from tests.integration.projections.standing import Stand, Standing
from tests.support.examples import examples
from tests.support.level_histories import history
from tests.support.levels import Log
from tests.support.projected import projected


def asked(*after: Any, units: Any = None, states: Any = None, sure: Any = None, most: int = 50) -> tuple[Any, ...]:
    return (units, states, sure, *(after or (None,)), most)


async def listed(standing: Standing, **of: Any) -> list[str]:
    return [row["unit"] for row in await standing.ask("units", *asked(**of))]


def three_communes() -> Log:
    log = Log().rules().assigned("a", "calm").assigned("b", "silent").assigned("c", "half").assigned("d", "half")
    return log.days(5).checked_in("a").checked_in("c")


async def test_units_are_asked_by_state_and_confidence(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    await standing.keep(three_communes())

    assert await listed(standing) == ["calm", "half", "silent"]
    assert await listed(standing, states=["lost"]) == ["silent"]
    assert await listed(standing, sure=["high", "blind"]) == ["calm", "silent"]
    assert await listed(standing, units=["half"]) == ["half"]
    [row] = await standing.ask("units", *asked(units=["half"]))
    assert (row["reporters"], row["silent"], row["last_sign"]) == (2, 1, "2026-05-25")
    assert [(one["unit"], one["state"]) for one in await standing.ask("channels", ["half", "silent"])] == [
        ("half", "watched"),
        ("silent", "lost"),
    ]


async def test_pages_follow_one_another(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    await standing.keep(three_communes())

    pages = await standing.pages(lambda *after: asked(*after, most=2), "units", lambda row: (row["unit"],))
    assert [row["unit"] for row in pages] == ["calm", "half", "silent"]


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
    log = [*Log().engine(projection="coverage").events, *history(seed, length)]
    whole = await projected(connection, PROJECTION, log)
    parts = await projected(connection, PROJECTION, log, partitions=partitions, batches=batches, restarts=restarts)

    assert parts.derived == whole.derived
    assert parts.rows == whole.rows


async def test_what_is_loaded_goes_on_as_what_was_held(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    await standing.keep(three_communes())
    loaded = await PROJECTION.table.load_partition(standing.connection, 0)

    assert loaded.keys() == {"home:kayanza"}
    assert await PROJECTION.table.dues(standing.connection, 0) == [("2026-05-28T22:00:00.000000Z", "home:kayanza")]
    assert await PROJECTION.table.dues(standing.connection, 1) == []
