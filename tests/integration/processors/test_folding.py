"""A lane folds what a ledger's history holds, each event once, whatever happens between two batches."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from events.reference import ClockTicked, EngineAdopted, RulesAdopted, TickReason
from events.vocabulary import EVERY_HOME
from services.processors.chain import ChainBroken
from services.processors.errors import OtherVersion, Superseded, Unreadable
from tests.support.crisis import BEGIN, crisis
from tests.support.lanes import LaneTrial, Record
from tests.support.tally import Poison, expected, tally

EVENTS = 600


async def a_history(trial: LaneTrial, events: int = EVENTS) -> None:
    """Events with rules, an engine and ticks in between, over some hours."""
    made = list(crisis(events, living=12, per_day=2_000))
    third = events // 3
    await trial.append(made[:third])
    await trial.write("reference/rules", EVERY_HOME, RulesAdopted(rule_set="one", content_hash="0" * 64, content="x"))
    await trial.append(made[third : 2 * third])
    await trial.write("reference/clock", EVERY_HOME, ClockTicked(nominal=BEGIN, reason=TickReason.HOUR))
    await trial.write("reference/engines", EVERY_HOME, EngineAdopted(projection="tally", number=1))
    await trial.append(made[2 * third :])
    await trial.write("reference/clock", EVERY_HOME, ClockTicked(nominal=BEGIN, reason=TickReason.HOUR))


@pytest.mark.parametrize("whole", [False, True], ids=["by key", "whole"])
async def test_a_lane_thrown_away_anywhere_leaves_the_rows_that_a_plain_count_has(
    trial: LaneTrial, whole: bool
) -> None:
    await a_history(trial)
    projections = tally(whole=whole), tally("by_home", by="home", whole=whole)
    chance = random.Random(4)
    records = await trial.records()
    lane = await trial.lane(*projections)
    leaving = [lane]
    while lane.live[0].mark.last_position < len(records):
        begin = chance.randrange(max(0, lane.last - 5), lane.last + 1)  # sometimes a few again
        try:
            await lane.offer(records[begin : begin + chance.randrange(1, 60)])
            if chance.random() < 0.5:
                await lane.settle()
        except Superseded:  # a commit of an earlier one was still on its way when this one began
            pass
        else:
            if chance.random() < 0.5:
                continue
        lane = await trial.lane(*projections)
        leaving.append(lane)
    for old in leaving:
        with contextlib.suppress(Superseded):
            await old.settle()
    history = await trial.history()
    for one in projections:
        assert await trial.tallied(one.name) == expected(one.fold, history)  # type: ignore[arg-type]


async def test_of_two_lanes_on_one_partition_each_batch_is_taken_by_one(trial: LaneTrial) -> None:
    await trial.append(crisis(EVENTS, living=12))
    projection = tally()
    records = await trial.records()
    chance = random.Random(3)
    lanes = [await trial.lane(projection) for _ in range(2)]
    superseded = 0
    while min(lane.last for lane in lanes) < len(records):
        at = chance.randrange(2)
        lane = lanes[at]
        try:
            await lane.offer(records[lane.last : lane.last + 20])
            await lane.settle()
        except Superseded:
            superseded += 1
            lanes[at] = await trial.lane(projection)
    assert superseded > 5
    assert await trial.tallied() == expected(projection.fold, await trial.history())  # type: ignore[arg-type]


async def test_repeats_are_dropped_and_foreign_records_passed_over_and_told(trial: LaneTrial) -> None:
    await trial.append(crisis(30, living=4))
    records = await trial.records()
    foreign = Record(0, b"{}", [("position", b"4"), ("previous", b"3")])
    told: list[tuple[int, int]] = []
    projection = tally()
    lane = await trial.lane(projection)
    lane._on_foreign = lambda partition, offsets: told.append((partition, len(offsets)))
    await lane.offer([foreign, *records[:10], *records[5:10]])
    await lane.offer([*records[2:20], foreign, *records[20:]])
    await lane.settle()
    assert (lane.counts.repeats, lane.counts.foreign, told) == (13, 2, [(0, 1), (0, 1)])
    assert await trial.tallied() == expected(projection.fold, await trial.history())  # type: ignore[arg-type]


async def test_a_gap_and_a_fork_stop_with_a_sentence(trial: LaneTrial) -> None:
    await trial.append(crisis(30, living=4))
    records = await trial.records()
    lane = await trial.lane(tally())
    await lane.offer(records[:10])
    with pytest.raises(ChainBroken, match="position 13 says that 12 stands before it, and 10 does"):
        await lane.offer(records[12:])
    await lane.settle()
    assert len(await trial.pool.fetch("select from tally.tally")) > 0


async def test_a_record_of_ours_that_is_no_event_stops_with_a_sentence(trial: LaneTrial) -> None:
    await trial.append(crisis(3, living=1))
    records = await trial.records()
    lane = await trial.lane(tally())
    for broken in (None, b"no json", records[1].value):
        with pytest.raises(Unreadable, match="partition 0, offset 0"):
            await lane.offer([Record(0, broken, records[0].headers)])
    assert await trial.tallied() == {}


async def test_a_broadcast_that_cannot_be_folded_stops_and_leaves_what_stood_before(trial: LaneTrial) -> None:
    await trial.append(crisis(10, living=2))
    rules = RulesAdopted(rule_set="one", content_hash="0" * 64, content="x")
    at = await trial.write("reference/rules", EVERY_HOME, rules)
    await trial.append([])
    lane = await trial.lane(tally(poison=Poison(broadcast={at})))
    await lane.offer((await trial.records())[:10])
    with pytest.raises(Unreadable, match=f"position {at}, a reference.rules_adopted to every partition"):
        await lane.offer((await trial.records())[10:])
    await lane.settle()
    assert lane.live[0].mark.last_position == 10


async def test_a_broadcast_of_a_later_program_stops_too(trial: LaneTrial) -> None:
    at = await trial.write_raw("reference/later", EVERY_HOME, "reference.tomorrow_invented", {})
    lane = await trial.lane(tally())
    with pytest.raises(Unreadable, match=f"position {at}, a reference.tomorrow_invented .* update it"):
        await lane.offer(await trial.records())


async def test_rows_of_another_version_are_not_touched(trial: LaneTrial) -> None:
    await trial.append(crisis(10, living=2))
    await trial.feed(await trial.lane(tally()))
    await trial.pool.execute("update projections.watermark set version = 2")
    with pytest.raises(OtherVersion, match="intabaza rebuild tally"):
        await trial.lane(tally())


async def test_a_swap_in_the_middle_of_a_batch_with_poison_loses_nothing(trial: LaneTrial) -> None:
    """The watermark goes back while the lane, after poison, reads anew: what it holds does not follow any more."""
    await trial.append(crisis(60, living=6))
    records = await trial.records()
    projection = tally(poison=Poison(apply={45}))
    lane = await trial.lane(projection)
    await lane.offer(records[:40])
    await lane.settle()
    begin = lane.begin

    async def begin_after_a_swap() -> None:
        await trial.pool.execute("delete from tally.tally")
        await trial.pool.execute(
            "update projections.watermark set last_position = 0, next_offset = 0, generation = gen_random_uuid()"
        )
        await begin()

    lane.begin = begin_after_a_swap  # type: ignore[method-assign]
    with pytest.raises(Superseded):
        await lane.offer(records[40:])
    healed = tally()
    await trial.feed(await trial.lane(healed))
    assert await trial.tallied() == expected(healed.fold, await trial.history())  # type: ignore[arg-type]


async def test_states_in_memory_stay_bounded(trial: LaneTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.processors.lane.MOST_KEYS", 10)
    await trial.append(crisis(EVENTS, living=40))
    projection = tally()
    lane = await trial.lane(projection)
    await trial.feed(lane, 30)
    assert len(lane.live[0].part.states) <= 10 + 30
    assert await trial.tallied() == expected(projection.fold, await trial.history())  # type: ignore[arg-type]


async def test_what_broadcasts_told_is_saved_as_it_was_when_the_batch_was_folded(trial: LaneTrial) -> None:
    """The next batch hears of other rules while the commit of the one before waits; then the worker dies."""
    for number in range(2):
        rules = RulesAdopted(rule_set="one", content_hash=str(number) * 64, content="x")
        await trial.write("reference/rules", EVERY_HOME, rules)
    first, second = await trial.records()
    lane = await trial.lane(tally())
    async with trial.pool.acquire() as other, other.transaction():
        await other.execute("select from projections.watermark for update")
        await lane.offer([first])
        next_one = asyncio.create_task(lane.offer([second]))
        while lane.live[0].last < 2:  # noqa: ASYNC110 - it is folded in memory, and nothing tells
            await asyncio.sleep(0)
        next_one.cancel()
        await asyncio.wait([next_one])
    await lane.settle()
    assert await trial.pool.fetchval("select body from projections.shared") == '{"adopted":1}'
    await trial.feed(await trial.lane(tally()))
    assert await trial.pool.fetchval("select body from projections.shared") == '{"adopted":2}'
