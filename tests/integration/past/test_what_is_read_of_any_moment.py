"""What is counted or compared in a place, of records named one by one, is what was read live at that moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any, TypeAlias

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections import referral_board, review_queue
from projections.projection import Projection
from projections.referral_board.table import SQL as REFERRALS
from projections.review_queue.table import SQL as QUEUE
from projections.taken import Taken
from services.local.postgres import PostgresServer
from services.processors.refold import a_pool, drop_place
from tests.integration.past.moments import Kept
from tests.support import happenings as what_happens
from tests.support.examples import examples
from tests.support.happenings import ACTS, HAPPENINGS, history

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
MOST = 200
Shown: TypeAlias = list[tuple[Any, ...]]


@pytest.fixture
async def pool(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[Pool]:
    async with a_pool(postgres.dsn(fresh_database, "intabaza_projector"), 4) as pool:
        yield pool


async def asked(pool: Pool, place: str, query: str, *arguments: object) -> Shown:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('search_path', $1, true)", place)
        return [tuple(row) for row in await connection.fetch(query, *arguments)]


async def streams_of(pool: Pool, place: str, query: str) -> list[str]:
    return [stream for (stream,) in await asked(pool, place, query, None)]


async def counts_live(pool: Pool) -> Shown:
    return await asked(pool, referral_board.PROJECTION.name, REFERRALS["counts"], None)


async def counts_then(pool: Pool, place: str) -> Sequence[Shown]:
    streams = await streams_of(pool, place, REFERRALS["streams"])
    return (
        await asked(pool, place, REFERRALS["counts"], None),
        await asked(pool, place, REFERRALS["counts_of_cases"], None, streams),
    )


async def evidence_live(pool: Pool) -> Shown:
    return await asked(pool, review_queue.PROJECTION.name, QUEUE["evidence_changed"], None, MOST, None)


async def evidence_then(pool: Pool, place: str) -> Sequence[Shown]:
    streams = await streams_of(pool, place, QUEUE["evidence_streams"])
    return (
        await asked(pool, place, QUEUE["evidence_changed"], None, MOST, None),
        await asked(pool, place, QUEUE["evidence_changed"], None, MOST, streams),
    )


READS = (
    (referral_board.PROJECTION, counts_live, counts_then),
    (review_queue.PROJECTION, evidence_live, evidence_then),
)
NAMES = ["referrals are counted", "evidence changed"]


async def every_read_is_what_it_was(
    pool: Pool, projection: Projection[Any, Any], live: Any, then: Any, log: Sequence[Taken], order: Sequence[float]
) -> int:
    """How many different answers there were; `order` says which moments are asked about, by where they lie."""
    kept = Kept(pool, log)
    try:
        lived = await kept.lived(projection, lambda: live(pool))
        places, positions = kept.standing(7), sorted(lived)
        for share in order:
            position = positions[min(int(share * len(positions)), len(positions) - 1)]
            for read in await then(pool, await places.stand(projection, position)):
                assert read == lived[position], f"position {position} of {positions[-1]}"
        return len({str(one) for one in lived.values()})
    finally:
        await kept.standing(7).forget()
        async with pool.acquire() as connection, connection.transaction():
            await drop_place(connection, projection.name)


@pytest.mark.parametrize(("projection", "live", "then"), READS, ids=NAMES)
@examples(4)
@given(happenings=HAPPENINGS, order=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=8))
async def test_of_any_moment(
    pool: Pool, projection: Projection[Any, Any], live: Any, then: Any, happenings: Any, order: list[float]
) -> None:
    await every_read_is_what_it_was(pool, projection, live, then, history(happenings), order)


@pytest.mark.parametrize(("projection", "live", "then"), READS, ids=NAMES)
async def test_of_moments_of_a_long_history(pool: Pool, projection: Projection[Any, Any], live: Any, then: Any) -> None:
    chance = Random(5)
    acts = (*ACTS, *(what_happens.links, what_happens.assesses, what_happens.corrects) * 8)
    happenings = [
        (chance.choice(acts), chance.randrange(5), chance.randrange(8), chance.choice((0, 0.5, 1, 7)))
        for _ in range(400)
    ]
    order = [chance.random() for _ in range(20)]
    assert await every_read_is_what_it_was(pool, projection, live, then, history(happenings), order) > 5
