"""What one key cannot take stops that key alone: it waits with all that follows, and goes on in order when it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from events.reference import ClockTicked, EngineAdopted, EventWaived, RulesAdopted, TickReason, WaiverReason
from events.vocabulary import EVERY_HOME
from projections import case_timeline
from projections.projection import Projection
from projections.taken import Taken
from services.log.partition import partition_of
from services.processors.lane import Lane
from tests.support.crisis import BEGIN, crisis
from tests.support.lanes import LaneTrial
from tests.support.pieces import pieces_of, resume_in_pieces, said_at_once
from tests.support.tally import Poison, TallyFold, expected, tally

RULES = RulesAdopted(rule_set="one", content_hash="0" * 64, content="x")
TICK = ClockTicked(nominal=BEGIN, reason=TickReason.HOUR)


async def a_history(trial: LaneTrial) -> list[Taken]:
    """300 events with rules, ticks and an engine between them; dues pass on the way."""
    made = list(crisis(300, living=6, per_day=700))
    for begin in range(0, 300, 60):
        await trial.append(made[begin : begin + 60])
        await trial.write("reference/rules", EVERY_HOME, RULES)
        await trial.write("reference/clock", EVERY_HOME, TICK)
    await trial.write("reference/engines", EVERY_HOME, EngineAdopted(projection="tally", number=1))
    await trial.append([])
    return await trial.history()


def healed(projection: Projection[Any, Any]) -> Projection[Any, Any]:
    """The same projection in a program that can take everything."""
    fold: TallyFold = projection.fold  # type: ignore[assignment]
    return replace(projection, fold=replace(fold, poison=Poison()))


def first_of(history: Sequence[Taken], fold: TallyFold, after: int) -> tuple[str, int]:
    """A key and the position of an event of it after a position."""
    event = next(one for one in history if one.position > after and not one.is_broadcast)
    key = fold.key(event)
    assert key is not None
    return key, event.position


async def resume_all(trial: LaneTrial, lane: Lane) -> None:
    for parked in await trial.parked():
        assert await lane.resume(parked["place"], parked["key"])


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("stage", ["apply", "draw"])
@pytest.mark.parametrize("how", [{}, {"by": "home", "whole": True}], ids=["by key", "whole"])
async def test_a_key_waits_with_its_later_events_and_the_broadcasts_and_goes_on_in_order(
    trial: LaneTrial, stage: str, size: int, how: dict[str, Any]
) -> None:
    history = await a_history(trial)
    projection = tally(**how)
    fold: TallyFold = projection.fold  # type: ignore[assignment]
    key, position = first_of(history, fold, 100)
    getattr(fold.poison, stage).add(position)
    other = case_timeline.PROJECTION
    lane = await trial.lane(projection, other)
    await trial.feed(lane, size)

    [parked] = await trial.parked()
    assert (parked["key"], parked["position"], parked["place"]) == (key, position, "tally")
    assert parked["why"].startswith(f"position {position}: PoisonTaken")
    wanted = expected(fold, history)
    stands = await trial.tallied()
    before = expected(fold, [one for one in history if one.position < position])
    # its broadcasts wait too, but what fell due before the poison was fired by then
    assert stands.pop(key, None) == before.get(key)
    assert stands == {one: row for one, row in wanted.items() if one != key}
    assert await trial.pool.fetchval("select count(*) from case_timeline.case_timeline_event") == 300

    assert not await lane.resume("tally", key)
    lane = await trial.lane(healed(projection), other)
    await resume_all(trial, lane)
    assert await trial.tallied() == wanted
    assert await trial.parked() == []
    await trial.append(list(crisis(330, living=6, per_day=700))[300:])
    await trial.feed(lane, size)
    assert await trial.tallied() == expected(fold, await trial.history())


@pytest.mark.parametrize("events", [2, 7])
@pytest.mark.parametrize("how", [{}, {"by": "home", "whole": True}], ids=["by key", "whole"])
async def test_a_key_goes_on_in_pieces_of_any_size_whoever_is_killed_between_two(
    trial: LaneTrial, events: int, how: dict[str, Any]
) -> None:
    history = await a_history(trial)
    projection = tally(derives=True, **how)
    fold: TallyFold = projection.fold  # type: ignore[assignment]
    fold.poison.apply.update(one.position for one in history[30:] if one.type == "case.assessed")
    await trial.feed(await trial.lane(projection), 40)
    assert len(await trial.parked()) > 3
    assert not [row for row in await trial.derived() if row.position > history[-1].position + 30]

    lane, kills = await resume_in_pieces(trial, healed(projection), events)
    assert kills > 3
    assert await trial.parked() == []
    await trial.feed(lane)
    assert await trial.tallied() == expected(fold, history)
    said = await trial.derived()
    assert sorted(row.event_id for row in said) == said_at_once(healed(projection), history)
    assert len(said) > 20


async def test_a_key_that_takes_some_pieces_and_not_the_next_waits_there(trial: LaneTrial) -> None:
    history = await a_history(trial)
    projection = tally(by="home", whole=True)
    fold: TallyFold = projection.fold  # type: ignore[assignment]
    key, first = first_of(history, fold, 20)
    later = [one.position for one in history if one.position > first and fold.key(one) == key][5]
    fold.poison.apply.update({first, later})
    await trial.feed(await trial.lane(projection))
    fold.poison.apply.remove(first)
    with pieces_of(2):
        assert not await (await trial.lane(projection)).resume("tally", key)
        [parked] = await trial.parked()
        assert first < parked["position"] <= later
        assert parked["why"].startswith(f"position {later}: ")
        # what was taken is taken, so it cannot be waived any more, and what it waits at can
        for position in (first, later):
            await trial.write("reference/waivers", EVERY_HOME, waiver("tally", key, position))
            await trial.feed(await trial.lane(projection))
    assert await trial.parked() == []
    wanted = expected(fold, await trial.history(), [(key, later)])
    assert await trial.tallied() == wanted
    await trial.pool.execute(
        "delete from projections.watermark; delete from projections.shared; delete from tally.tally"
    )
    await trial.feed(await trial.lane(healed(projection), speaks=False), 13)
    assert await trial.tallied() == wanted


@pytest.mark.parametrize("stage", ["roll", "heed"])
async def test_poison_at_a_broadcast_parks_that_key_alone(trial: LaneTrial, stage: str) -> None:
    history = await a_history(trial)
    projection = tally(by="home", whole=True)
    fold: TallyFold = projection.fold  # type: ignore[assignment]
    key, _ = first_of(history, fold, 0)
    rules = [one.position for one in history if one.type == RULES.name]
    if stage == "roll":
        fold.poison.roll.add(key)
    else:
        fold.poison.heed.add(rules[1])
    lane = await trial.lane(projection)
    await trial.feed(lane, 50)
    wanted = expected(fold, history)
    parked = await trial.parked()
    if stage == "roll":
        assert [one["key"] for one in parked] == [key]
        stands = await trial.tallied()
        del stands[key]
        assert stands == {one: row for one, row in wanted.items() if one != key}
    else:  # every key heeds it, so every key that was there then waits, each by itself
        assert {one["position"] for one in parked} == {rules[1]}
        assert len(parked) > 5
    lane = await trial.lane(healed(projection))
    await resume_all(trial, lane)
    assert await trial.tallied() == wanted


async def test_a_stateless_projection_parks_a_stream_and_copies_the_rest_later(trial: LaneTrial) -> None:
    await trial.append(crisis(40, living=3))
    bad = await trial.write_raw("case/11111111-1111-8111-8111-111111111111", "bi:home:1", "case.tomorrow_invented", {})
    await trial.write_raw("case/11111111-1111-8111-8111-111111111111", "bi:home:1", "case.closed", {})
    lane = await trial.lane(case_timeline.PROJECTION)
    await trial.feed(lane, 9)
    [parked] = await trial.parked()
    assert parked["position"] == bad
    assert "update it" in parked["why"]
    assert await trial.pool.fetchval("select count(*) from case_timeline.case_timeline_event") == 40
    await trial.write("reference/waivers", EVERY_HOME, waiver("case_timeline", parked["key"], bad))
    await trial.feed(lane)
    assert await trial.parked() == []
    rows = await trial.pool.fetch("select position from case_timeline.case_timeline_event order by 1")
    assert [row["position"] for row in rows] == [*range(1, 41), 42]


def waiver(projection: str, key: str, position: int) -> EventWaived:
    return EventWaived(projection=projection, key=key, position=position, why=WaiverReason.UNREADABLE)


async def test_hundreds_of_poisoned_keys_in_one_batch_are_parked_one_by_one(trial: LaneTrial) -> None:
    await trial.append(crisis(500, living=250))
    history = await trial.history()
    projection = tally()
    fold: TallyFold = projection.fold  # type: ignore[assignment]
    fold.poison.apply.update(range(1, 500, 2))
    lane = await trial.lane(projection)
    await trial.feed(lane, 500)
    assert len(await trial.parked()) > 150
    lane = await trial.lane(healed(projection))
    await resume_all(trial, lane)
    assert await trial.tallied() == expected(fold, history)


async def test_two_projections_poisoned_in_one_batch_keep_both_parkings(trial: LaneTrial) -> None:
    history = await a_history(trial)
    one, two = tally(), tally("by_home", by="home", whole=True)
    one.fold.poison.apply.add(10)  # type: ignore[attr-defined]
    two.fold.poison.apply.update({10, 12})  # type: ignore[attr-defined]
    lane = await trial.lane(one, two)
    await trial.feed(lane, 100)
    assert {(each["place"], each["position"]) for each in await trial.parked()} >= {("tally", 10), ("by_home", 10)}
    lane = await trial.lane(healed(one), healed(two))
    await resume_all(trial, lane)
    for each in (one, two):
        assert await trial.tallied(each.name) == expected(each.fold, history)  # type: ignore[arg-type]


@pytest.mark.parametrize("crash", [False, True], ids=["at once", "killed before it went on"])
async def test_a_waived_event_is_passed_over_live_and_in_every_replay(
    trial: LaneTrial, crash: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = await a_history(trial)
    projection = tally()
    fold: TallyFold = projection.fold  # type: ignore[assignment]
    key = next(one.stream for one in history if one.type == "case.opened")
    position, again = [one.position for one in history if one.stream == key][2:5:2]
    fold.poison.apply.update({position, again})
    lane = await trial.lane(projection)
    await trial.feed(lane)
    await trial.write("reference/waivers", EVERY_HOME, waiver("tally", key, position))
    if crash:

        async def killed(*_: object) -> bool:
            raise ConnectionResetError

        with monkeypatch.context() as patch:
            patch.setattr(Lane, "resume", killed)
            with pytest.raises(ConnectionResetError):
                await trial.feed(lane)
        await lane.settle()
        lane = await trial.lane(projection)
        for place, _, asked in await lane._store.asked([projection], [0]):
            assert not await lane.resume(place, asked)
    else:
        await trial.feed(lane)
    [parked] = await trial.parked()
    assert parked["why"].startswith(f"position {again}: ")  # the next one that it cannot take
    assert not parked["resume_asked"]
    await trial.write("reference/waivers", EVERY_HOME, waiver("tally", key, again))
    await trial.feed(lane)
    assert await trial.parked() == []
    wanted = expected(fold, await trial.history(), [(key, position), (key, again)])
    assert await trial.tallied() == wanted

    for program in (projection, healed(projection)):  # also one that could take it by now
        await trial.pool.execute(
            "delete from projections.watermark; delete from projections.shared; delete from tally.tally"
        )
        await trial.feed(await trial.lane(program, speaks=False), 13)
        assert await trial.tallied() == wanted


@pytest.mark.parametrize("how", ["folded", "folded, then begun again", "resumed meanwhile", "still to come"])
async def test_a_waiver_that_comes_too_late_or_too_soon_changes_nothing_live_and_in_every_replay(
    trial: LaneTrial, how: str
) -> None:
    """Whoever recorded it did not look, or somebody with another program was quicker."""
    history = await a_history(trial)
    projection = tally()
    fold: TallyFold = projection.fold  # type: ignore[assignment]
    key = next(one.stream for one in history if one.type == "case.opened")
    events = [one.position for one in history if one.stream == key]
    position, last = events[2], history[-1].position
    if how == "resumed meanwhile":
        fold.poison.apply.add(position)
    lane = await trial.lane(projection)
    await trial.feed(lane)
    if how == "resumed meanwhile":
        lane = await trial.lane(healed(projection))
        await resume_all(trial, lane)
    if how == "still to come":
        key, position = "case/11111111-1111-8111-8111-111111111111", last + 2
    assert await trial.write("reference/waivers", EVERY_HOME, waiver("tally", key, position)) == last + 1
    if how == "folded, then begun again":
        lane = await trial.lane(projection)
    if how == "still to come":
        assert await trial.write_raw(key, "bi:home:1", "case.closed", {}) == position
    await trial.feed(lane)
    wanted = expected(fold, await trial.history())
    assert await trial.tallied() == wanted

    await trial.pool.execute(
        "delete from projections.watermark; delete from projections.shared; delete from tally.tally"
    )
    await trial.feed(await trial.lane(healed(projection), speaks=False), 13)
    assert await trial.tallied() == wanted


async def judged(trial: LaneTrial) -> dict[str, bool]:
    """Of which waivers it is known whether they are void."""
    return {row["key"]: row["void"] for row in await trial.pool.fetch("select key, void from projections.waiver")}


@pytest.mark.parametrize("behind", [False, True], ids=["both there", "one has read nothing yet"])
async def test_a_waiver_is_judged_once_however_far_the_partitions_are_when_they_come_to_it(
    two_partitions: LaneTrial, behind: bool
) -> None:
    """A key waits in the one partition and the other knows nothing of it, nor of how far the one is."""
    trial = two_partitions
    history = await a_history(trial)
    opened = {partition_of(one.home, 2): one for one in history if one.type == "case.opened"}
    stuck, taken = (opened[partition] for partition in (0, 1))
    projection = tally()
    fold: TallyFold = projection.fold  # type: ignore[assignment]
    fold.poison.apply.add(stuck.position)
    here, there = [await trial.lane(projection, partition=number) for number in (0, 1)]
    await trial.feed(there)
    if not behind:
        await trial.feed(here)
    for one in (stuck, taken):
        await trial.write("reference/waivers", EVERY_HOME, waiver("tally", one.stream, one.position))
    await trial.feed(there)
    assert await judged(trial) == ({} if behind else {taken.stream: True})
    await trial.feed(here)
    assert await judged(trial) == {stuck.stream: False, taken.stream: True}
    wanted = expected(fold, await trial.history(), [(stuck.stream, stuck.position)])
    assert await trial.tallied() == wanted

    await trial.pool.execute(
        "delete from projections.watermark; delete from projections.shared; delete from tally.tally"
    )
    for number in (0, 1):
        await trial.feed(await trial.lane(healed(projection), partition=number, speaks=False), 13)
    assert await trial.tallied() == wanted


async def test_what_waits_keeps_its_dues_beside_those_of_the_others(trial: LaneTrial) -> None:
    await trial.append(crisis(40, living=3))
    history = await trial.history()
    projection = tally()
    fold: TallyFold = projection.fold  # type: ignore[assignment]
    key, position = next(
        (one.stream, one.position) for one in history if one.type == "report.received" and one.position > 1
    )
    fold.poison.apply.add(position)
    await trial.feed(await trial.lane(projection))
    due = await trial.pool.fetchval("select next_due from projections.watermark")
    assert due is not None
    lane = await trial.lane(healed(projection))
    await resume_all(trial, lane)
    assert await trial.pool.fetchval("select next_due from projections.watermark") == due
    assert (await trial.tallied())[key] == expected(fold, history)[key]
