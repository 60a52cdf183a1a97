"""Tables that are copied into have their indexes once they are filled: the same ones, refusing what they refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest

from projections.case_timeline import PROJECTION
from services.local.kafka import KafkaServer
from services.local.topics import EVENTS
from services.processors import refold
from services.processors.making import make_places
from services.processors.rebuild import rebuild, shadow_of
from services.processors.refold import Refolding, a_pool, clear_place, copied_bare, ends, fold_partitions
from tests.support.crisis import crisis
from tests.support.feeding import Feeder

HISTORY = list(crisis(200, living=20))
SHADOW = shadow_of(PROJECTION)
ROW = (7, "case/one", 1, "case.opened", datetime(2026, 1, 1, tzinfo=UTC), "reviewer", UUID(int=1), "{}")

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


@pytest.fixture
async def pool(projector_dsn: str) -> AsyncIterator[Pool]:
    async with a_pool(projector_dsn) as found:
        await clear_place(found, PROJECTION, SHADOW)
        yield found


async def test_they_are_away_while_rows_come_and_then_as_they_were(pool: Pool) -> None:
    before = await indexes(pool, SHADOW)
    assert [dropping for dropping, _ in before] == [
        "drop index place.case_timeline_event_by_stream",
        "drop index place.case_timeline_link_by_stream",
        "drop index place.case_timeline_link_of_report",
    ]
    async with copied_bare(pool, [PROJECTION], {PROJECTION.name: SHADOW}):
        assert await indexes(pool, SHADOW) == []
        await put(pool, ROW)
    assert await indexes(pool, SHADOW) == before


async def test_rows_that_stand_twice_are_refused_when_they_are_made(pool: Pool) -> None:
    with pytest.raises(asyncpg.UniqueViolationError, match="case_timeline_event_by_stream"):
        async with copied_bare(pool, [PROJECTION], {PROJECTION.name: SHADOW}):
            await put(pool, ROW, ROW)


async def test_rebuilt_rows_have_the_indexes_that_the_live_ones_had(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, pool: Pool
) -> None:
    feeder.feed(HISTORY)
    await make_places(pool, [PROJECTION])
    await fold_partitions(
        Refolding(projector_dsn, kafka.bootstrap, EVENTS, (PROJECTION,), {}, ends(kafka.bootstrap, EVENTS))
    )
    before = await indexes(pool, PROJECTION.name)
    await rebuild(projector_dsn, kafka.bootstrap, EVENTS, [PROJECTION], processes=1)
    assert await indexes(pool, PROJECTION.name) == before


async def indexes(pool: Pool, place: str) -> list[tuple[str, str]]:
    """How each index of the copied tables is taken away, and made in whichever place."""
    found = await refold.indexes(pool, place, of_constraints=False)
    return [
        (one.dropping.replace(place, "place"), one.making.replace(place, "place"))
        for one in found
        if one.table in PROJECTION.copied
    ]


async def put(pool: Pool, *rows: tuple[Any, ...]) -> None:
    columns = ("position", "stream", "version", "type", "recorded_at", "role", "actor", "data")
    await pool.copy_records_to_table("case_timeline_event", schema_name=SHADOW, records=rows, columns=columns)
