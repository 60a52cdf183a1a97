"""What follows from a projection is said once on the ledger, whatever is killed or cut; nothing else is said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from events.envelope import canonical
from projections.projection import Derived, derived_id
from projections.taken import take
from services.database.lost import LOST
from services.processors.derived import SQL, append_derived
from services.processors.errors import Contradiction, Refused
from services.processors.lane import Lane
from services.processors.store import Store
from tests.support.crisis import crisis
from tests.support.lanes import SOURCE, TOPIC, LaneTrial
from tests.support.lossy_wire import lossy_wire
from tests.support.tally import Count, Poison, derived, expected, tally

if TYPE_CHECKING:
    from services.local.postgres import PostgresServer


async def said(trial: LaneTrial, *projections: str) -> list[str]:
    """The ids of what should be said: each assessment by each projection, as often as the key was assessed."""
    counts: dict[str, int] = {}
    ids = []
    for event in await trial.history():
        if event.stream.startswith(("case/", "report/")):
            counts[event.stream] = counts.get(event.stream, 0) + 1
            if event.type == "case.assessed":
                ids += [str(derived_id(f"{one} {event.stream} {counts[event.stream]} 0")) for one in projections]
    return ids


async def assert_said_once(trial: LaneTrial, *projections: str) -> None:
    rows = await trial.derived()
    assert sorted(str(row.event_id) for row in rows) == sorted(await said(trial, *projections))
    by_stream: dict[str, list[int]] = {}
    for row in rows:
        by_stream.setdefault(row.stream, []).append(row.version)
    assert all(versions == list(range(1, len(versions) + 1)) for versions in by_stream.values())


async def test_two_projections_say_many_things_in_one_stream_in_one_batch(trial: LaneTrial) -> None:
    await trial.append(crisis(400, living=10))
    one, two = tally(derives=True), tally("second", derives=True)
    lane = await trial.lane(one, two)
    await trial.feed(lane, 150)
    assert lane.counts.derived == len(await said(trial, "tally", "second")) > 40
    await assert_said_once(trial, "tally", "second")
    [row, *_] = await trial.derived()
    told = take(row.wire())
    assert (told.type, told.stream, told.home) == ("level.response_overdue", "level/bi:bujumbura", "bi:home:1")
    before = len(await trial.rows())
    await trial.feed(lane, 150)  # what it said itself is no input
    assert len(await trial.rows()) == before
    assert await trial.tallied() == expected(one.fold, await trial.history())  # type: ignore[arg-type]


async def test_what_follows_from_a_batch_is_appended_in_one_call_however_many_of_one_stream(trial: LaneTrial) -> None:
    """The append lock is held meanwhile, and nobody else appends."""
    await trial.append(crisis(1, living=1))
    many = [derived("x", Count(f"case/{each % 7}", events=each), "2015-04-26T06:00:00.000000Z") for each in range(60)]
    asked: list[str] = []
    async with trial.pool.acquire() as connection, connection.transaction():
        connection.add_query_logger(lambda query: asked.append(query.query))
        assert len(await append_derived(connection, many, SOURCE)) == 60
    assert sum("ledger.append(" in query for query in asked) == 1
    rows = await trial.derived()
    assert [row.event_id for row in rows] == [derived_id(one.seed) for one in many]
    assert [row.version for row in rows] == list(range(1, 61))


async def test_the_head_of_a_long_stream_is_found_without_reading_the_stream(trial: LaneTrial) -> None:
    """The append lock is held meanwhile, and a level's stream grows for ever."""
    await trial.append(crisis(1, living=1))
    many = [derived("x", Count("case/1", events=each), "2015-04-26T06:00:00.000000Z") for each in range(400)]
    async with trial.pool.acquire() as connection, connection.transaction():
        assert len(await append_derived(connection, many, SOURCE)) == 400
        [stream] = {one.stream for one in many}
        heads = await connection.fetch(SQL["heads"], [stream, "level/nobody"])
        assert [tuple(row) for row in heads] == [(stream, 400)]
        explained = await connection.fetchval(f"explain (analyze, format json) {SQL['heads']}", [stream])
    assert max(rows_read(json.loads(explained)[0]["Plan"])) < 10


def rows_read(plan: Mapping[str, Any]) -> Iterator[int]:
    """How many rows each node of an executed plan gave."""
    yield round(plan["Actual Rows"] * plan["Actual Loops"])
    for below in plan.get("Plans", ()):
        yield from rows_read(below)


async def test_folding_again_says_nothing_twice_and_a_silent_one_says_nothing(trial: LaneTrial) -> None:
    await trial.append(crisis(300, living=10))
    projection = tally(derives=True)
    await trial.feed(await trial.lane(projection), 50)
    rows = len(await trial.rows())
    for speaks in (True, False):
        await trial.pool.execute("delete from projections.watermark; delete from tally.tally")
        lane = await trial.lane(projection, speaks=speaks)
        await trial.feed(lane, 77)
        assert lane.counts.derived == 0
        assert len(await trial.rows()) == rows


async def test_a_shut_door_is_waited_for_and_nothing_is_half_written(trial: LaneTrial) -> None:
    await trial.append(crisis(200, living=5))
    await trial.owner.execute("select ledger.shut_door('Kafka knows more')")
    projection = tally(derives=True)
    lane = await trial.lane(projection)
    with pytest.raises(Refused, match="the ledger takes nothing now: Kafka knows more"):
        await trial.feed(lane, 200)
    assert await trial.tallied() == {}
    await trial.owner.execute("select ledger.open_door()")
    await trial.feed(await trial.lane(projection), 200)
    await assert_said_once(trial, "tally")


@contextmanager
def deriving_otherwise() -> Iterator[None]:
    """A program whose tallies derive events of other content under the same ids."""
    made = derived

    def otherwise(name: str, state: Count, due: str) -> Derived:
        one = made(name, state, due)
        return Derived(one.stream, one.home, one.seed, one.due, one.data.model_copy(update={"step": 9}), one.engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.support.tally.derived", otherwise)
        yield


async def test_other_content_under_the_same_id_stops_with_a_sentence(trial: LaneTrial) -> None:
    await trial.append(crisis(200, living=5))
    projection = tally(derives=True)
    await trial.feed(await trial.lane(projection))
    await trial.pool.execute("delete from projections.watermark; delete from tally.tally")
    with deriving_otherwise():
        lane = await trial.lane(projection)
        with pytest.raises(Contradiction, match="is in the ledger with other content: this program folds otherwise"):
            await trial.feed(lane)
    assert await trial.tallied() == {}


async def test_what_can_never_be_appended_stops_and_a_repeat_within_one_batch_is_said_once(trial: LaneTrial) -> None:
    await trial.append(crisis(1, living=1))
    one = derived("x", Count("case/1", events=1), "2015-04-26T06:00:00.000000Z")
    moved = Derived(one.stream, "bi:home:2", "another", one.due, one.data, one.engine)
    other = Derived(one.stream, one.home, one.seed, one.due, one.data.model_copy(update={"step": 9}), one.engine)
    async with trial.pool.acquire() as connection:
        async with connection.transaction():
            assert len(await append_derived(connection, [one, one], SOURCE)) == 1
        for bad in ([moved], [other]):
            with pytest.raises(Contradiction):
                async with connection.transaction():
                    await append_derived(connection, bad, SOURCE)
        async with connection.transaction():
            assert not await append_derived(connection, [one], SOURCE)


async def test_a_commit_whose_answer_is_lost_is_taken_as_the_tables_say(
    trial: LaneTrial, postgres: PostgresServer, fresh_database: str
) -> None:
    """The wire is cut again and again, as the commit leaves or as its answer comes back."""
    await trial.append(crisis(400, living=10))
    projection = tally(derives=True)
    records = await trial.records()
    lost = {"the commit": 0, "its answer": 0}
    committing = asyncio.Event()
    async with lossy_wire(postgres.dsn(fresh_database, "intabaza_projector")) as (wire, dsn):
        await trial.lane(projection)
        done = 0
        while done < len(records):
            what, gate = ("the commit", wire.requests) if sum(lost.values()) % 2 else ("its answer", wire.answers)

            def seen(request: bytes, gate: asyncio.Event = gate) -> None:
                if b"COMMIT" in request and committing.is_set():
                    wire.hold(gate)

            wire.seen = seen
            wire.held.clear()
            committing.clear()
            async with asyncpg.create_pool(dsn, min_size=1, max_size=3) as pool:
                lane = Lane(Store(pool, SOURCE), [projection], 0, TOPIC)
                await lane.begin()
                done = lane.last
                batch = records[done : done + 40]
                # what the batch needs is read before it, so that the next COMMIT on the wire is the batch's own
                part = lane.live[0].part
                wanted = part.wants([take(one.value or b"") for one in batch])
                part.hold(wanted, (await lane._store.load({lane.live[0]: wanted}))[lane.live[0]])
                committing.set()
                if batch:
                    await lane.offer(batch)
                    await wire.held.wait()
                    wire.cut()
                    gate.set()
                    lost[what] += 1
                    with pytest.raises(LOST):
                        await lane.settle()
                pool.terminate()
    assert min(lost.values()) >= 5
    assert await trial.tallied() == expected(projection.fold, await trial.history())  # type: ignore[arg-type]
    await assert_said_once(trial, "tally")


async def test_what_is_derived_names_its_engine_and_never_what_led_to_it(trial: LaneTrial) -> None:
    await trial.append(crisis(100, living=5))
    await trial.feed(await trial.lane(tally(derives=True)))
    import orjson

    for row in await trial.derived():
        body: Mapping[str, object] = orjson.loads(row.body)
        assert body["engine"] == 1
        assert body["actorrole"] == "system"
        assert "causationid" not in body
        assert canonical(body) == row.body


async def test_a_key_that_is_asked_to_go_on_and_contradicts_the_log_stays_where_it_is_and_stops_nobody(
    trial: LaneTrial,
) -> None:
    await trial.append(crisis(200, living=5))
    projection = tally(derives=True)
    await trial.feed(await trial.lane(projection))
    said = len(await trial.rows())
    await trial.pool.execute("delete from projections.watermark; delete from tally.tally")
    firsts = {one.stream: one.position for one in reversed(await trial.history())}
    await trial.feed(await trial.lane(tally(derives=True, poison=Poison(apply={*firsts.values()}))))
    with deriving_otherwise():
        lane = await trial.lane(projection)
        went_on = [await lane.resume("tally", parked["key"]) for parked in await trial.parked()]
    still = await trial.parked()
    assert len(still) == went_on.count(False) > 0
    for parked in still:
        assert (parked["position"], parked["resume_asked"]) == (firsts[parked["key"]], False)
        assert "is in the ledger with other content" in parked["why"]
    lane = await trial.lane(projection)
    assert [await lane.resume("tally", parked["key"]) for parked in still] == [True] * len(still)
    assert await trial.parked() == []
    assert len(await trial.rows()) == said
