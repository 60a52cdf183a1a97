"""Through real tables: however a history is cut and spread, and wherever it stops, the same rows and the same is told.

A few examples each; `--hypothesis-profile=long` looks for as long as one likes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections import case_board, case_timeline, coverage, referral_board, review_queue
from projections.case_board.fold import Fallen
from projections.part import Part
from projections.projection import Connection, Projection
from services.local.postgres import PostgresServer
from tests.support.happenings import HAPPENINGS, history
from tests.support.projected import in_a_place, projected

PROJECTIONS: tuple[Projection[Any, Any], ...] = (
    case_timeline.PROJECTION,
    case_board.PROJECTION,
    review_queue.PROJECTION,
    referral_board.PROJECTION,
    coverage.PROJECTION,
)
CUTS = {
    "partitions": st.sampled_from([1, 3, 12]),
    "batches": st.lists(st.integers(1, 25), min_size=1, max_size=4),
    "restarts": st.lists(st.booleans(), min_size=1, max_size=5),
    "forgets": st.booleans(),
}
LONG = settings.get_current_profile_name() == "long"
BUDGET = settings(
    max_examples=1_000 if LONG else 15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
async def database(postgres: PostgresServer) -> AsyncIterator[Connection]:
    """One connection for all examples; each has a schema of its own."""
    connection = await asyncpg.connect(postgres.dsn())
    yield connection
    await connection.close()


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda one: one.name)
@BUDGET
@given(happenings=HAPPENINGS, cut=st.fixed_dictionaries(CUTS))
async def test_rows_and_what_is_told_do_not_depend_on_how_the_history_was_cut(
    database: Connection, projection: Projection[Any, Any], happenings: Any, cut: dict[str, Any]
) -> None:
    log = history(happenings)
    whole = await projected(database, projection, log)

    assert await projected(database, projection, log, **cut) == whole


@pytest.mark.parametrize("projection", [one for one in PROJECTIONS if not one.fold.whole], ids=lambda one: one.name)
@BUDGET
@given(happenings=HAPPENINGS)
async def test_what_is_loaded_is_what_was_held(
    database: Connection, projection: Projection[Any, Any], happenings: Any
) -> None:
    log = history(happenings)
    part: Part[Any, Any] = Part(projection.fold)
    part.hold(part.wants(log), {})
    page, _ = part.take(log)
    async with in_a_place(database, projection):
        async with database.transaction():
            await projection.table.write(database, {0: page})
        loaded = await projection.table.load(database, part.states)

    fallen = {key for key, state in part.states.items() if isinstance(state, Fallen)}  # a report falls once
    assert loaded == {key: state for key, state in part.states.items() if key not in fallen}
    assert projection.fold.shared(projection.fold.save(part.shared)) == part.shared


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda one: one.name)
@BUDGET
@given(happenings=HAPPENINGS)
async def test_nothing_is_told_twice(database: Connection, projection: Projection[Any, Any], happenings: Any) -> None:
    told = (await projected(database, projection, history(happenings), batches=(7,))).derived

    assert len({one.seed for one in told}) == len(told)
