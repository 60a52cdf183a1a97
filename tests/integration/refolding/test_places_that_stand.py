"""Places of moments, folded from a real topic: read on from where their positions are, and made before anybody asks."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any, TypeAlias

import asyncpg
import pytest

from projections import alert_level, case_board
from projections.projection import Projection
from projections.rows import sum_lines
from projections.taken import take
from services.local.kafka import KafkaServer
from services.local.topics import EVENTS
from services.past import standing
from services.past.__main__ import stands_throughout
from services.past.standing import place_of
from tests.support.crisis import crisis
from tests.support.feeding import Feeder
from tests.support.projected import projected

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
HISTORY = list(crisis(600, living=20, per_day=60, reference=True))
TAKEN = [take(one.wire()) for one in HISTORY]
LEVEL, BOARD = alert_level.PROJECTION, case_board.PROJECTION


async def digest(owner: Owner, projection: Projection[Any, Any], position: int) -> str:
    """Of all that stands in the place of a position."""
    async with owner.transaction():
        await owner.execute("select set_config('search_path', $1, true)", place_of(projection, position))
        summed = sha256()
        await sum_lines(owner, projection.table.digests, summed.update)
        return summed.hexdigest()


async def expected(owner: Owner, projection: Projection[Any, Any], position: int) -> str:
    rows = (await projected(owner, projection, TAKEN[:position], batches=(37,))).rows
    return sha256(b"".join(row.encode() + b"\n" for row in rows)).hexdigest()


@pytest.mark.parametrize("wrong", [-3, -1, 1, 4, 100_000])
async def test_where_offsets_are_wrong_positions_say_what_comes_next(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner, wrong: int
) -> None:
    feeder.feed(HISTORY)
    async with standing.standing(projector_dsn, kafka.bootstrap, EVENTS, 1) as places:
        await places.stand(LEVEL, 333)
        moved = "update projections.watermark set next_offset = next_offset + $1 where next_offset + $1 >= 0"
        assert await owner.execute(moved, wrong) == "UPDATE 3"
        await places.stand(LEVEL, 500)
    assert await digest(owner, LEVEL, 500) == await expected(owner, LEVEL, 500)


async def test_a_topic_that_is_another_one_is_read_on_from_the_same_position(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY)
    async with standing.standing(projector_dsn, kafka.bootstrap, EVENTS, 1) as places:
        await places.stand(BOARD, 333)
        await owner.execute("update projections.watermark set topic_id = gen_random_uuid(), next_offset = 1")
        await places.stand(BOARD, 500)
        await places.stand(LEVEL, 500)
    assert await digest(owner, BOARD, 500) == await expected(owner, BOARD, 500)
    assert await digest(owner, LEVEL, 500) == await expected(owner, LEVEL, 500)


async def test_while_nobody_asks_places_come_to_stand_up_to_the_end(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "ROUND", 100)
    monkeypatch.setattr(standing, "STRIDE", 2)
    feeder.feed(HISTORY)
    asked: asyncio.Queue[bytes] = asyncio.Queue()
    async with standing.standing(projector_dsn, kafka.bootstrap, EVENTS, 1) as places:
        await places.stand(LEVEL, 250)
        asked.put_nowait(b"somebody asks")
        assert not await stands_throughout(places, LEVEL, 600, asked)
        assert await positions(owner) == [200, 250]
        asked.get_nowait()
        assert await stands_throughout(places, LEVEL, 600, asked)
        assert await positions(owner) == [100, 200, 250, 300, 400, 500]
    for position in (100, 200, 500):
        assert await digest(owner, LEVEL, position) == await expected(owner, LEVEL, position)


async def positions(owner: Owner) -> list[int]:
    return [row["position"] for row in await owner.fetch("select position from projections.past order by position")]
