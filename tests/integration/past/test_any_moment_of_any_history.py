"""As of any moment, in whatever order moments are asked about, rows are what the live ones were at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeAlias

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections import alert_level, case_board, case_timeline, coverage, referral_board, review_queue
from projections.projection import Projection
from projections.taken import Taken
from services.local.postgres import PostgresServer
from services.past import standing
from services.past.standing import Standing, place_of
from services.processors import refold
from services.processors.refold import a_pool, drop_place
from services.processors.store import Store
from tests.integration.past.moments import Kept
from tests.support.examples import examples
from tests.support.happenings import HAPPENINGS, history
from tests.support.level_histories import history as level_history

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
OF_CASES: tuple[Projection[Any, Any], ...] = (
    case_board.PROJECTION,
    case_timeline.PROJECTION,
    coverage.PROJECTION,
    referral_board.PROJECTION,
    review_queue.PROJECTION,
)


@pytest.fixture
async def pool(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[Pool]:
    async with a_pool(postgres.dsn(fresh_database, "intabaza_projector"), 4) as pool:
        yield pool


@pytest.fixture(autouse=True)
def places_are_few_and_near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short histories leave places behind and let others go, as long ones do."""
    monkeypatch.setattr(standing, "ROUND", 10)
    monkeypatch.setattr(standing, "STRIDE", 2)
    monkeypatch.setattr(standing, "MOST_RECENT", 3)


async def every_moment_is_what_it_was(
    pool: Pool, projection: Projection[Any, Any], log: Sequence[Taken], order: Sequence[float], batch: int
) -> None:
    """`order` says which of the moments are asked about, each by where in the history it lies."""
    kept = Kept(pool, log)
    try:
        lived = await kept.live(projection)
        places, positions = kept.standing(batch), sorted(lived)
        for share in order:
            position = positions[min(int(share * len(positions)), len(positions) - 1)]
            place = await places.stand(projection, position)
            assert place == place_of(projection, position)
            assert await kept.rows(projection, place) == lived[position], f"position {position} of {positions[-1]}"
        known = await pool.fetchval("select count(*) from projections.past")
        assert known <= standing.MOST_RECENT + standing.MOST_ON_THE_WAY + 2
    finally:
        await kept.standing(batch).forget()
        async with pool.acquire() as connection, connection.transaction():
            await drop_place(connection, projection.name)


ASKED = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=8)
BATCHES = st.integers(1, 40)


@pytest.mark.parametrize("projection", OF_CASES, ids=lambda one: one.name)
@examples(4)
@given(happenings=HAPPENINGS, order=ASKED, batch=BATCHES)
async def test_of_cases_and_reports(
    pool: Pool, projection: Projection[Any, Any], happenings: Any, order: list[float], batch: int
) -> None:
    await every_moment_is_what_it_was(pool, projection, history(happenings), order, batch)


@examples(6)
@given(seed=st.integers(0, 2**32), length=st.integers(10, 60), order=ASKED, batch=BATCHES)
async def test_of_levels(pool: Pool, seed: int, length: int, order: list[float], batch: int) -> None:
    await every_moment_is_what_it_was(pool, alert_level.PROJECTION, level_history(seed, length), order, batch)


@pytest.mark.parametrize("projection", [alert_level.PROJECTION, coverage.PROJECTION], ids=lambda one: one.name)
async def test_at_each_position_of_one_history(pool: Pool, projection: Projection[Any, Any]) -> None:
    log = level_history(11, 40)
    backwards = [number / len(log) for number in reversed(range(len(log)))]
    await every_moment_is_what_it_was(pool, projection, log, backwards[::2] + backwards[1::2][::-1], 7)


async def test_round_places_are_made_before_anybody_asks_and_whoever_asks_is_near_to_one(pool: Pool) -> None:
    log = level_history(7, 90)
    kept, projection = Kept(pool, log), alert_level.PROJECTION
    lived = await kept.live(projection)
    places, end = kept.standing(7), max(lived)
    while await places.go_on(projection, end):
        pass
    stand = await pool.fetch("select place, position from projections.past order by position")
    assert [row["position"] for row in stand] == standing.stops(0, end)
    for row in stand:
        assert await kept.rows(projection, row["place"]) == lived[row["position"]]
    kept.folded.clear()
    for position in list(lived)[::9]:
        assert await kept.rows(projection, await places.stand(projection, position)) == lived[position]
    assert all(until - after < standing.distance(end) for after, until in kept.folded)
    await places.forget()


@pytest.mark.parametrize("what", ["version", "form"])
async def test_a_place_of_another_version_or_one_that_was_not_finished_is_not_taken(pool: Pool, what: str) -> None:
    log = level_history(3, 40)
    kept = Kept(pool, log)
    projection = alert_level.PROJECTION
    lived = await kept.live(projection)
    places, last = kept.standing(10), max(lived)
    await places.stand(projection, last - 1)
    await pool.execute(f"update projections.past set {what} = 0")
    half_made = place_of(projection, last)
    await pool.execute(f"create schema {half_made}; create table {half_made}.alert_level_unit (nothing integer)")
    assert await places.stand(projection, last) == half_made
    assert await kept.rows(projection, half_made) == lived[last]
    assert await pool.fetchval(f"select count(*) from projections.past where {what} = 0") == 0
    assert await pool.fetchval("select to_regnamespace($1) is null", place_of(projection, last - 1))
    assert await places.forget() >= 1
    assert await pool.fetchval("select count(*) from pg_namespace where nspname like 'past\\_%'") == 0
    assert await pool.fetchval("select count(*) from projections.watermark where place like 'past\\_%'") == 0


async def test_what_is_kept_has_room_for_so_much_and_no_more(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "MOST_RECENT", 12)
    kept, projection = Kept(pool, level_history(5, 40)), alert_level.PROJECTION
    lived = await kept.live(projection)
    positions = sorted(lived)[-6:]
    await kept.standing(10).stand(projection, positions[0])
    (row,) = [one for one in await pool.fetch(standing.SQL["sizes"]) if one["place"].endswith(f"_{positions[0]}")]
    places = kept.standing(10, most_bytes=row["bytes"] * 5 // 2)
    for position in positions[1:]:
        place = await places.stand(projection, position)
        assert await kept.rows(projection, place) == lived[position]
    left = await pool.fetch("select position from projections.past where position = any ($1) order by 1", positions)
    assert [row["position"] for row in left] == positions[-3:], "two that were asked for last, and the one just made"
    await places.forget()


async def test_no_more_is_made_beforehand_than_there_is_room_for(pool: Pool) -> None:
    kept, projection = Kept(pool, level_history(7, 90)), alert_level.PROJECTION
    lived = sorted(await kept.live(projection))
    await kept.standing(10).stand(projection, lived[4])
    (row,) = await pool.fetch(standing.SQL["sizes"])
    places = kept.standing(10, most_bytes=row["bytes"] * 7 // 2)
    while await places.go_on(projection, lived[-1]):
        pass
    stand = await pool.fetch("select position from projections.past order by position")
    assert lived[4] in [row["position"] for row in stand]
    assert 1 < len(stand) < len(standing.stops(0, lived[-1])), "some are made, and each that is made stays"
    await places.forget()


class Held(Standing):
    """Copies a place only when what a fold begins with was read, and fails then if it is told so."""

    begun: asyncio.Event
    fails: Exception | None = None

    async def _copy(self, projection: Projection[Any, Any], source: str | None, place: str) -> None:
        if source is not None:
            await asyncio.wait_for(self.begun.wait(), 30)
            if self.fails is not None:
                raise self.fails
        await super()._copy(projection, source, place)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set whenever a partition was begun."""
    event, begin = asyncio.Event(), Store.begin

    async def told(*arguments: Any) -> Any:
        found = await begin(*arguments)
        event.set()
        return found

    monkeypatch.setattr(Store, "begin", told)
    return event


@pytest.mark.parametrize("projection", [alert_level.PROJECTION, case_board.PROJECTION], ids=lambda one: one.name)
@pytest.mark.parametrize("batch", [1, 40])
async def test_a_fold_begins_while_its_place_is_copied(
    pool: Pool, begun: asyncio.Event, projection: Projection[Any, Any], batch: int
) -> None:
    kept = Kept(pool, level_history(5, 60))
    lived = await kept.live(projection)
    places = Held(pool, kept.fold(batch))
    places.begun = begun
    for position in [*lived][7::12]:
        begun.clear()
        assert await kept.rows(projection, await places.stand(projection, position)) == lived[position]
    assert any(after for after, _ in kept.folded)
    await places.forget()


async def test_a_copy_that_fails_is_what_is_said_and_nothing_stands(pool: Pool, begun: asyncio.Event) -> None:
    projection, kept = alert_level.PROJECTION, Kept(pool, level_history(5, 60))
    lived = await kept.live(projection)
    near, last = [*lived][30], max(lived)
    places = Held(pool, kept.fold(7))
    places.begun = begun
    await places.stand(projection, near)
    places.fails = OSError("the disk is full")
    begun.clear()
    with pytest.raises(OSError, match="the disk is full"):
        await places.stand(projection, last)
    assert await pool.fetchval("select count(*) from projections.past where position > $1", near) == 0
    places.fails = None
    assert await kept.rows(projection, await places.stand(projection, last)) == lived[last]
    await places.forget()


@pytest.mark.parametrize("projection", [alert_level.PROJECTION, review_queue.PROJECTION], ids=lambda one: one.name)
async def test_a_copied_place_has_the_indexes_of_the_live_one(pool: Pool, projection: Projection[Any, Any]) -> None:
    kept = Kept(pool, level_history(5, 60))
    lived = await kept.live(projection)
    places = kept.standing(20)
    live = await indexes(pool, projection.name)
    assert any("add constraint" in one for one in live)
    assert any("drop index" in one for one in live)
    for position in [*lived][7::25]:
        assert await indexes(pool, await places.stand(projection, position)) == live
    assert [after for after, _ in kept.folded if after], "none was copied"
    await places.forget()


async def indexes(pool: Pool, place: str) -> list[str]:
    """How each index of a place is taken away and made anew, in whichever place."""
    found = await refold.indexes(pool, place, of_constraints=True)
    return [f"{one.dropping}; {one.making}".replace(f" {place}.", " place.") for one in found]
