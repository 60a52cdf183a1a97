"""A worker that is frozen in the middle of its transaction holds up nobody for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from projections import case_timeline
from projections.projection import Connection, Page, Projection
from services.database.lost import LOST
from services.processors import pool as workers_pool
from services.processors import store
from services.processors.pool import open_pool
from services.processors.store import Store
from tests.support.crisis import crisis
from tests.support.lanes import SOURCE, LaneTrial
from tests.support.tally import TallyFold, expected, tally

LONG_SECONDS = 120


class Frozen:
    """Where a worker stands still until it is woken; `there` is set as soon as it has come so far."""

    def __init__(self) -> None:
        self.there, self.woken = asyncio.Event(), asyncio.Event()

    async def stand_still(self) -> None:
        self.there.set()
        await self.woken.wait()


@dataclass(frozen=True)
class SendsForEver:
    """A table whose rows are begun to be sent."""

    table: Any
    frozen: Frozen

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        async def rows() -> AsyncIterator[tuple[Any, ...]]:
            await self.frozen.stand_still()
            yield ()

        await connection.copy_records_to_table("case_timeline_event", records=rows())


async def test_who_is_frozen_with_the_append_lock_holds_neither_partitions_nor_ledger(
    trial: LaneTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = Frozen()

    async def hold_and_stand_still(connection: Connection, derived: Sequence[Any], source: str) -> int:
        await connection.execute(store.SQL["hold"])
        await frozen.stand_still()
        return 0

    await trial.append(crisis(40, living=4))
    events = await trial.history()
    lane = await trial.lane(tally(derives=True))
    with monkeypatch.context() as patch:
        patch.setattr(store, "append_derived", hold_and_stand_still)
        held = asyncio.create_task(trial.feed(lane))
        await frozen.there.wait()
    await others_go_on(trial, tally())
    assert await trial.tallied() == expected(TallyFold("tally"), events)
    frozen.woken.set()
    with pytest.raises(LOST):
        await held


async def test_who_is_frozen_while_it_sends_rows_holds_no_partitions(
    trial: LaneTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the server that is no idling: it waits for the rest of a statement."""
    for module in (workers_pool, store):
        monkeypatch.setattr(module, "STATEMENT_SECONDS", 2)
    trial.pool.terminate()
    trial.pool = await open_pool(trial.projector_dsn)
    frozen = Frozen()
    await trial.append(crisis(40, living=4))
    events = await trial.history()
    live = case_timeline.PROJECTION
    lane = await trial.lane(replace(live, table=SendsForEver(live.table, frozen)))
    held = asyncio.create_task(trial.feed(lane))
    await frozen.there.wait()
    await others_go_on(trial, live)
    told = [one.position for one in events if one.stream.startswith(("case/", "report/"))]
    rows = await trial.pool.fetch("select position from case_timeline.case_timeline_event order by position")
    assert [row["position"] for row in rows] == told
    frozen.woken.set()
    with pytest.raises(LOST):
        await held


async def others_go_on(trial: LaneTrial, projection: Projection[Any, Any]) -> None:
    """Another worker takes the partition over, and somebody appends."""
    async with asyncio.timeout(LONG_SECONDS):
        while True:  # as a worker does: begins again until it may
            with suppress(*LOST):
                await trial.feed(await trial.lane(projection))
                break
            await Store(trial.pool, SOURCE).end_frozen()
        await trial.append(list(crisis(60, living=4))[40:])
