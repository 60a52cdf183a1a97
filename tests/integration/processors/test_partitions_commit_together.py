"""Partitions that commit in the same turn share a transaction, and none of them pays for what is wrong with another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.processors.errors import Superseded
from services.processors.lane import Lane
from services.processors.making import make_places
from services.processors.store import Step, Store
from tests.support.crisis import crisis
from tests.support.lanes import SOURCE, TOPIC, LaneTrial, position
from tests.support.tally import expected, tally

PARTITIONS = 3


class Watched(Store):
    """A store that remembers which partitions it tried to commit at once."""

    groups: list[list[int]]

    async def _commit(self, steps: Sequence[Step]) -> Sequence[int]:
        self.groups.append([step.partition for step in steps])
        return await super()._commit(steps)


async def lanes_of(trial: LaneTrial) -> tuple[Watched, list[Lane]]:
    """Lanes of all partitions on one store, which have begun and tried to commit nothing yet."""
    trial.partitions = PARTITIONS
    projections = tally(derives=True), tally("by_home", by="home", whole=True)
    await make_places(trial.pool, projections)
    store = Watched(trial.pool, SOURCE)
    store.groups = []
    store._steps._ask_all = store._commit
    lanes = [Lane(store, projections, number, TOPIC) for number in range(PARTITIONS)]
    for lane in lanes:
        await lane.begin()
    return store, lanes


async def rows_are_right(trial: LaneTrial) -> None:
    history = await trial.history()
    for one in (tally(derives=True), tally("by_home", by="home", whole=True)):
        assert await trial.tallied(one.name) == expected(one.fold, history)  # type: ignore[arg-type]


async def test_what_is_offered_in_one_turn_is_one_transaction(trial: LaneTrial) -> None:
    store, lanes = await lanes_of(trial)
    await trial.append(crisis(300, living=12))
    records = [await trial.records(lane.partition) for lane in lanes]
    for at in range(0, max(map(len, records)), 20):
        batches = [(lane, of[at : at + 20]) for lane, of in zip(lanes, records, strict=True) if of[at : at + 20]]
        await asyncio.gather(*(lane.offer(batch) for lane, batch in batches))
        await asyncio.gather(*(lane.settle() for lane, _ in batches))

    assert sum(len(group) for group in store.groups) > 12
    assert max(map(len, store.groups)) == PARTITIONS
    assert sum(lane.counts.derived for lane in lanes) == len(await trial.derived()) > 0
    await rows_are_right(trial)


async def test_one_that_was_superseded_holds_up_no_other(trial: LaneTrial) -> None:
    store, lanes = await lanes_of(trial)
    await trial.append(crisis(200, living=12))
    records = [await trial.records(lane.partition) for lane in lanes]
    assert all(records)
    _, others = await lanes_of(trial)
    await others[1].offer(records[1])  # another worker has taken this partition over
    await others[1].settle()
    await asyncio.gather(*(lane.offer(of) for lane, of in zip(lanes, records, strict=True)))
    told = await asyncio.gather(*(lane.settle() for lane in lanes), return_exceptions=True)

    assert [type(one) for one in told] == [type(None), Superseded, type(None)]
    assert store.groups == [[0, 1, 2], [0], [1], [2]]
    await rows_are_right(trial)


@pytest.mark.parametrize("cut", range(1, 5))
async def test_where_the_connection_goes_nothing_or_all_is_written(trial: LaneTrial, cut: int) -> None:
    store, lanes = await lanes_of(trial)
    await trial.append(crisis(200, living=12))
    records = [await trial.records(lane.partition) for lane in lanes]
    asked = 0

    async def gone(steps: Sequence[Step]) -> Sequence[int]:
        nonlocal asked
        asked += 1
        if asked == 1 and cut % 2:
            raise ConnectionResetError  # before anything was sent
        answers = await Store._commit(store, steps)
        if asked == 1:
            raise ConnectionResetError  # between the commit and its answer
        return answers

    store._steps._ask_all = gone
    await asyncio.gather(*(lane.offer(of[: 5 * cut]) for lane, of in zip(lanes, records, strict=True)))
    told = await asyncio.gather(*(lane.settle() for lane in lanes), return_exceptions=True)
    assert [type(one) for one in told] == [ConnectionResetError] * PARTITIONS
    assert asked == 1

    _, again = await lanes_of(trial)
    for lane, of in zip(again, records, strict=True):
        if rest := [record for record in of if position(record) > lane.last]:
            await lane.offer(rest)
        await lane.settle()
    await rows_are_right(trial)
