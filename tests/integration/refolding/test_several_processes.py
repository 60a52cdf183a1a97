"""However many processes fold the log again, the rows are the same; where one of them fails, nothing is swapped in."""

from __future__ import annotations

import asyncio
import multiprocessing
from hashlib import sha256
from typing import Any, TypeAlias

import asyncpg
import pytest

from projections import alert_level, case_board, case_timeline
from projections.projection import Projection
from projections.rows import read_lines
from services.local.kafka import KafkaServer
from services.local.topics import EVENTS
from services.log.record import Link
from services.processors import refold
from services.processors.errors import Halt
from services.processors.making import make_places
from services.processors.rebuild import rebuild, shadow_of
from services.processors.refold import Refolding, a_pool, ends, fold_partitions
from services.processors.replay import replay
from tests.integration.refolding.conftest import PARTITIONS
from tests.support.crisis import crisis
from tests.support.feeding import Feeder

HISTORY = list(crisis(1_500, living=30, per_day=200, reference=True))
FOLDED: tuple[Projection[Any, Any], ...] = (alert_level.PROJECTION, case_board.PROJECTION, case_timeline.PROJECTION)
TIMELINE = case_timeline.PROJECTION
PATIENCE_SECONDS = 180
FOLDED_WHOLE = "select count(*) from projections.watermark where place = $1 and last_position > 0"

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest.fixture(autouse=True)
def processes_are_worth_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refold, "SMALL", 0)


async def test_one_two_and_three_processes_fold_the_same_rows_and_say_how_far_all_are(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str
) -> None:
    records = feeder.feed(HISTORY)
    alone = {one.name: await replay(projector_dsn, kafka.bootstrap, EVENTS, one, 1, diff=False) for one in FOLDED}
    assert all(summed.rows for summed in alone.values())
    for processes in (2, 3):
        told: list[tuple[int, int]] = []
        await rebuild(projector_dsn, kafka.bootstrap, EVENTS, FOLDED, processes, lambda *far, to=told: to.append(far))
        assert told == sorted(told)
        assert told[-1] == (records, records)
        async with a_pool(projector_dsn) as pool:
            for one in FOLDED:
                assert await digest(pool, one) == alone[one.name].digest


async def test_a_replay_by_three_processes_sums_up_to_the_same(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str
) -> None:
    feeder.feed(HISTORY)
    alone, shared = [
        await replay(projector_dsn, kafka.bootstrap, EVENTS, alert_level.PROJECTION, processes, diff=False)
        for processes in (1, 3)
    ]
    assert alone.rows
    assert shared == alone


async def test_a_process_killed_in_the_middle_of_a_rebuild_leaves_the_live_rows_and_is_told(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY)
    await go_live(projector_dsn, kafka.bootstrap)
    before = await live(owner)
    # A watermark that is not committed: the process for the last partition waits for it, the others get through.
    withheld = owner.transaction()
    await withheld.start()
    await owner.execute(
        "insert into projections.watermark (place, partition, projection, version, topic_id) "
        "values ($1, $2, $3, 1, gen_random_uuid())",
        shadow_of(TIMELINE), PARTITIONS - 1, TIMELINE.name,
    )  # fmt: skip
    rebuilding = asyncio.create_task(rebuild(projector_dsn, kafka.bootstrap, EVENTS, [TIMELINE], PARTITIONS))
    async with asyncio.timeout(PATIENCE_SECONDS), a_pool(projector_dsn) as pool:
        while await pool.fetchval(FOLDED_WHOLE, shadow_of(TIMELINE)) < PARTITIONS - 1:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
        while len(multiprocessing.active_children()) > 1:  # noqa: ASYNC110 - their ends ring for abreast alone
            await asyncio.sleep(0.01)
    multiprocessing.active_children()[0].kill()
    with pytest.raises(Halt, match=r"partition 2 was ended by SIGKILL.*the live rows are as they were"):
        await rebuilding
    assert not multiprocessing.active_children()
    await withheld.rollback()
    assert await live(owner) == before
    assert await owner.fetchval("select to_regnamespace($1) is null", shadow_of(TIMELINE))
    await rebuild(projector_dsn, kafka.bootstrap, EVENTS, [TIMELINE], PARTITIONS)
    assert [rows for rows, _ in await live(owner)] == [rows for rows, _ in before]


async def test_what_a_process_cannot_go_on_from_is_said_in_its_words_and_ends_the_others(
    feeder: Feeder, kafka: KafkaServer, projector_dsn: str, owner: Owner
) -> None:
    feeder.feed(HISTORY)
    await go_live(projector_dsn, kafka.bootstrap)
    before = await live(owner)
    feeder.record(1, "nowhere", b"{}", Link(5_000, 4_999))
    feeder.feed([])  # it is on the topic
    await owner.execute(
        "update projections.watermark set next_offset = 100000, last_position = 5000 where partition = 1"
    )
    with pytest.raises(
        Halt, match=r"^partition 1, offset .* position 5000 says that 4999 stands before it.* as they were"
    ):
        await rebuild(projector_dsn, kafka.bootstrap, EVENTS, [TIMELINE], PARTITIONS)
    assert not multiprocessing.active_children()
    assert [rows for rows, _ in await live(owner)] == [rows for rows, _ in before]
    assert await owner.fetchval("select to_regnamespace($1) is null", shadow_of(TIMELINE))


async def digest(pool: asyncpg.Pool[asyncpg.Record], projection: Projection[Any, Any]) -> str:
    """What the live rows sum up to."""
    summed = sha256()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('search_path', $1, true)", projection.name)
        async for row in read_lines(connection, projection.table.digests):
            summed.update(row.encode() + b"\n")
    return summed.hexdigest()


async def go_live(dsn: str, bootstrap: str) -> None:
    """What a live worker would have done by now: everything on the topic is folded."""
    async with a_pool(dsn) as pool:
        await make_places(pool, [TIMELINE])
    await fold_partitions(Refolding(dsn, bootstrap, EVENTS, (TIMELINE,), {}, ends(bootstrap, EVENTS)))


async def live(owner: Owner) -> list[tuple[str, str]]:
    """Every live row with its system columns, which another row in its place would not have; and the watermarks."""
    marks = await owner.fetchval(
        "select json_agg(w order by partition)::text from projections.watermark w where place = $1", TIMELINE.name
    )
    rows = await owner.fetch(
        "select one::text, one.ctid::text || one.xmin::text as stood from case_timeline.case_timeline_event one "
        "order by position"
    )
    return [("", marks), *((row[0], row["stood"]) for row in rows)]
