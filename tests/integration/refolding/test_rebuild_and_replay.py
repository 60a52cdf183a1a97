"""A projection folded again from Kafka is the live one, row by row; where it is not, it says so and can replace it."""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

import asyncpg
import pytest

from projections import case_board
from projections.case_timeline import PROJECTION
from projections.projection import Projection
from services.local.kafka import KafkaServer
from services.local.topics import EVENTS
from services.processors.errors import Halt, OtherVersion, Superseded
from services.processors.lane import Lane
from services.processors.making import make_places
from services.processors.places import Places
from services.processors.rebuild import NotSwapped, rebuild, shadow_of, swap
from services.processors.refold import Refolding, a_pool, clear_place, ends, fold_partitions, live_lines
from services.processors.replay import Replayed, replay
from services.processors.store import Store
from tests.support.crisis import crisis
from tests.support.feeding import Feeder

HISTORY = list(crisis(3_000, living=40))
Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def go_live(dsn: str, bootstrap: str) -> None:
    """What a live worker would have done by now: everything on the topic is folded."""
    async with a_pool(dsn) as pool:
        await make_places(pool, [PROJECTION])
    await fold_partitions(Refolding(dsn, bootstrap, EVENTS, (PROJECTION,), {}, ends(bootstrap, EVENTS)))


async def replayed(dsn: str, bootstrap: str, processes: int = 1) -> Replayed:
    return await replay(dsn, bootstrap, EVENTS, PROJECTION, processes, diff=True)


async def test_a_replay_finds_the_live_rows_again(feeder: Feeder, kafka: KafkaServer, projector_dsn: str) -> None:
    feeder.feed(HISTORY)
    await go_live(projector_dsn, kafka.bootstrap)
    result = await replayed(projector_dsn, kafka.bootstrap)
    assert result.compared
    assert result.differing == 0
    assert result.rows >= len(HISTORY)
    alone = await replay(projector_dsn, kafka.bootstrap, EVENTS, PROJECTION, 2, diff=False)
    assert (alone.rows, alone.digest) == (result.rows, result.digest)


async def test_a_replay_names_the_rows_that_differ(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY)
    await go_live(projector_dsn, kafka.bootstrap)
    await owner.execute("delete from case_timeline.case_timeline_event where position = 7")
    await owner.execute("update case_timeline.case_timeline_event set role = 'nobody' where position = 9")
    result = await replayed(projector_dsn, kafka.bootstrap)
    assert result.differing == 3
    assert len(result.missing) == 2
    assert len(result.surplus) == 1
    assert '"nobody"' in result.surplus[0]


async def test_a_replay_leaves_nothing_behind(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY[:200])
    await go_live(projector_dsn, kafka.bootstrap)
    await replayed(projector_dsn, kafka.bootstrap)
    assert await owner.fetchval("select to_regnamespace('case_timeline_replay') is null")
    assert await owner.fetchval("select count(*) from projections.watermark where place <> 'case_timeline'") == 0


async def test_a_replay_without_live_rows_says_what_to_do(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str
) -> None:
    feeder.feed(HISTORY[:10])
    with pytest.raises(Halt, match="no live case_timeline to compare with: start the processors"):
        await replayed(projector_dsn, kafka.bootstrap)


async def test_a_rebuild_mends_damaged_rows_and_appends_nothing(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY)
    await go_live(projector_dsn, kafka.bootstrap)
    sound = await replayed(projector_dsn, kafka.bootstrap)
    before = await marks(owner)
    await owner.execute("delete from case_timeline.case_timeline_event where position % 2 = 0")
    await rebuild(projector_dsn, kafka.bootstrap, EVENTS, [PROJECTION], processes=2)
    mended = await replayed(projector_dsn, kafka.bootstrap)
    assert mended.differing == 0
    assert mended.digest == sound.digest
    assert await marks(owner) == before
    assert await owner.fetchval("select count(*) from ledger.event") == 0
    assert await owner.fetchval("select to_regnamespace('case_timeline_shadow') is null")
    assert await owner.fetchval("select to_regnamespace('case_timeline_old') is null")


async def test_rows_of_another_form_are_rebuilt_in_the_form_of_this_release(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY[:200])
    await go_live(projector_dsn, kafka.bootstrap)
    await owner.execute("update projections.watermark set form = 0")
    with pytest.raises(OtherVersion, match="intabaza rebuild case_timeline`"):
        await go_live(projector_dsn, kafka.bootstrap)
    await rebuild(projector_dsn, kafka.bootstrap, EVENTS, [PROJECTION], processes=1)
    await go_live(projector_dsn, kafka.bootstrap)
    assert (await replayed(projector_dsn, kafka.bootstrap)).differing == 0


async def test_projections_are_rebuilt_in_one_reading_also_where_one_is_behind(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY[:1_000])
    await go_live(projector_dsn, kafka.bootstrap)
    feeder.feed(HISTORY[1_000:])
    both: list[Projection[Any, Any]] = [PROJECTION, case_board.PROJECTION]
    await rebuild(projector_dsn, kafka.bootstrap, EVENTS, both, processes=2)
    rows = await owner.fetch("select place, max(last_position) as last from projections.watermark group by place")
    lasts = {row["place"]: row["last"] for row in rows}
    assert lasts == {"case_timeline": 1_000, "case_board": len(HISTORY)}
    for one in both:
        assert (await replay(projector_dsn, kafka.bootstrap, EVENTS, one, 1, diff=True)).differing == 0
    await go_live(projector_dsn, kafka.bootstrap)
    await rebuild(projector_dsn, kafka.bootstrap, EVENTS, both, processes=2)
    for one in both:
        assert (await replay(projector_dsn, kafka.bootstrap, EVENTS, one, 1, diff=True)).differing == 0


async def test_who_reads_may_read_the_rebuilt_rows(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY[:50])
    await rebuild(projector_dsn, kafka.bootstrap, EVENTS, [PROJECTION], processes=1)
    await owner.execute("set role intabaza_app; set intabaza.units = '*'")
    assert await owner.fetchval("select count(*) from case_timeline.case_timeline_event") == 50


async def test_a_live_worker_can_commit_nothing_over_a_swap_and_goes_on_from_the_rebuilt_watermark(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str
) -> None:
    feeder.feed(HISTORY[:1_000])
    await go_live(projector_dsn, kafka.bootstrap)
    async with a_pool(projector_dsn) as pool:
        with Places(kafka.bootstrap, EVENTS) as places:
            lane = Lane(Store(pool, "urn:intabaza:test"), [PROJECTION], 0, places.topic_id)
            await lane.begin()
            await rebuild(projector_dsn, kafka.bootstrap, EVENTS, [PROJECTION], processes=1)
            feeder.feed(HISTORY[1_000:])
            offset = places.find(0, *lane.hint)
            for records in places.walk({0: offset}, {0: places.end(0)}).next().values():
                await lane.offer(records)
            with pytest.raises(Superseded):
                await lane.settle()
    await go_live(projector_dsn, kafka.bootstrap)
    result = await replayed(projector_dsn, kafka.bootstrap)
    assert result.differing == 0


async def test_rebuilt_rows_above_the_live_ones_are_not_swapped_in(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str
) -> None:
    feeder.feed(HISTORY[:500])
    await go_live(projector_dsn, kafka.bootstrap)
    feeder.feed(HISTORY[500:600])
    async with a_pool(projector_dsn) as pool:
        shadow = shadow_of(PROJECTION)
        await clear_place(pool, PROJECTION, shadow)
        lines = ends(kafka.bootstrap, EVENTS)
        await fold_partitions(
            Refolding(projector_dsn, kafka.bootstrap, EVENTS, (PROJECTION,), {PROJECTION.name: shadow}, lines)
        )
        with pytest.raises(NotSwapped, match="above the live one's"):
            await swap(pool, PROJECTION)
        assert sum(line.offset for line in (await live_lines(pool, PROJECTION)).values()) == 500
    await rebuild(projector_dsn, kafka.bootstrap, EVENTS, [PROJECTION], processes=1)
    result = await replayed(projector_dsn, kafka.bootstrap)
    assert result.differing == 0


async def test_where_keys_wait_it_goes_back_to_before_the_first_so_that_a_worker_says_what_they_had_to_say(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY[:900])
    await go_live(projector_dsn, kafka.bootstrap)
    before = await marks(owner)
    first, last = 500, 700
    for position in (last, first):
        await owner.execute(
            "insert into projections.parked (place, partition, key, position, why, shared)"
            " values ($1, 1, $2, $3, '', 'null')",
            PROJECTION.name,
            f"key of {position}",
            position,
        )
    await rebuild(projector_dsn, kafka.bootstrap, EVENTS, [PROJECTION], processes=1)
    after = await marks(owner)
    assert [after[0], after[2]] == [before[0], before[2]]
    assert first - 20 < after[1][2] < first
    assert await owner.fetchval("select count(*) from projections.parked") == 0
    await go_live(projector_dsn, kafka.bootstrap)
    assert await marks(owner) == before
    assert (await replayed(projector_dsn, kafka.bootstrap)).differing == 0


async def test_while_somebody_rebuilds_nobody_else_does(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY[:300])
    await go_live(projector_dsn, kafka.bootstrap)
    before = await marks(owner)
    at_once = (rebuild(projector_dsn, kafka.bootstrap, EVENTS, [PROJECTION], processes=1) for _ in range(2))
    results = await asyncio.gather(*at_once, return_exceptions=True)
    [refused] = [one for one in results if one is not None]
    assert isinstance(refused, Halt)
    assert "somebody else rebuilds" in str(refused)
    assert await marks(owner) == before
    assert (await replayed(projector_dsn, kafka.bootstrap)).differing == 0


async def test_a_log_that_lacks_something_is_not_swapped_in(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY[:300])
    await go_live(projector_dsn, kafka.bootstrap)
    await owner.execute("update projections.watermark set last_position = last_position + 1 where partition = 1")
    with pytest.raises(Halt, match="the log lacks something"):
        await rebuild(projector_dsn, kafka.bootstrap, EVENTS, [PROJECTION], processes=1)
    assert await owner.fetchval("select count(*) from case_timeline.case_timeline_event") == 300


async def marks(owner: Owner) -> list[tuple[int, int, int]]:
    rows = await owner.fetch(
        "select partition, next_offset, last_position from projections.watermark where place = $1 order by partition",
        PROJECTION.name,
    )
    return [tuple(row) for row in rows]
