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

from projections import case_board, case_timeline, coverage, referral_board, review_queue, silences
from projections.case_board.fold import Fallen
from projections.part import Part
from projections.projection import Connection, Projection
from projections.taken import Taken
from services.local.postgres import PostgresServer
from tests.support.happenings import ABOUT_SILENCES, HAPPENINGS, history
from tests.support.projected import in_a_place, projected

PROJECTIONS: tuple[Projection[Any, Any], ...] = (
    case_timeline.PROJECTION,
    case_board.PROJECTION,
    review_queue.PROJECTION,
    referral_board.PROJECTION,
    coverage.PROJECTION,
    silences.PROJECTION,
)
HISTORIES = {silences.PROJECTION.name: ABOUT_SILENCES}
"""By projection, where they are not of everything."""
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


def any_history(data: st.DataObject, projection: Projection[Any, Any]) -> list[Taken]:
    return history(data.draw(HISTORIES.get(projection.name, HAPPENINGS)))


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda one: one.name)
@BUDGET
@given(data=st.data(), cut=st.fixed_dictionaries(CUTS))
async def test_rows_and_what_is_told_do_not_depend_on_how_the_history_was_cut(
    database: Connection, projection: Projection[Any, Any], data: st.DataObject, cut: dict[str, Any]
) -> None:
    log = any_history(data, projection)
    whole = await projected(database, projection, log)

    assert await projected(database, projection, log, **cut) == whole


@pytest.mark.parametrize("projection", [one for one in PROJECTIONS if not one.fold.whole], ids=lambda one: one.name)
@BUDGET
@given(data=st.data())
async def test_what_is_loaded_is_what_was_held(
    database: Connection, projection: Projection[Any, Any], data: st.DataObject
) -> None:
    log = any_history(data, projection)
    part: Part[Any, Any] = Part(projection.fold)
    part.hold(part.wants(log), {})
    page, _ = part.take(log)
    async with in_a_place(database, projection):
        async with database.transaction():
            await projection.table.write(database, {0: page})
        loaded = await projection.table.load(database, part.states)

    # A report falls once; and what is not there is as it begins.
    held = {key: state for key, state in part.states.items() if not isinstance(state, Fallen)}
    assert {key: loaded.get(key, projection.fold.initial(key)) for key in held} == held
    assert loaded.keys() <= held.keys()
    assert projection.fold.shared(projection.fold.save(part.shared)) == part.shared


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda one: one.name)
@BUDGET
@given(data=st.data())
async def test_nothing_is_told_twice(
    database: Connection, projection: Projection[Any, Any], data: st.DataObject
) -> None:
    told = (await projected(database, projection, any_history(data, projection), batches=(7,))).derived

    assert len({one.seed for one in told}) == len(told)
