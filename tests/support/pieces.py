"""What waits behind a parked key, folded in pieces by workers that are killed between them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from projections.part import Part
from projections.projection import Projection, derived_id
from projections.taken import Taken
from services.processors import resuming
from services.processors.lane import Lane
from services.processors.store import Move, Store
from tests.support.lanes import LaneTrial


class Killed(Exception):
    """The worker is gone."""


async def resume_in_pieces(trial: LaneTrial, projection: Projection[Any, Any], events: int) -> tuple[Lane, int]:
    """Let every parked key go on, so many events at a time; answers the last lane, and how often it was killed."""
    lane, kills = await trial.lane(projection), 0
    with pieces_of(events), killed_at_pieces():
        for one in await trial.parked():
            while True:
                try:
                    assert await lane.resume(one["place"], one["key"])
                    break
                except Killed:
                    kills += 1
                    lane = await trial.lane(projection)
    return lane, kills


@contextmanager
def pieces_of(events: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resuming, "PIECE_EVENTS", events)
        yield


@contextmanager
def killed_at_pieces() -> Iterator[None]:
    """Who commits a piece that is not the last one is killed before the commit, or after it, or goes on, in turn."""
    commit, count = Store.commit, itertools.count()

    async def committing(self: Store, partition: int, topic_id: UUID, moves: Sequence[Move]) -> int:
        resumed = moves[0].resumed
        turn = next(count) % 3 if resumed is not None and resumed.onward is not None else 2
        if turn == 0:
            raise Killed
        appended = await commit(self, partition, topic_id, moves)
        if turn == 1:
            raise Killed
        return appended

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "commit", committing)
        yield


@contextmanager
def first_commits_meet(workers: int) -> Iterator[None]:
    """So many workers commit their first piece only when each of them has one."""
    commit, met = Store.commit, asyncio.Barrier(workers)
    waiting = itertools.count()

    async def committing(self: Store, partition: int, topic_id: UUID, moves: Sequence[Move]) -> int:
        if next(waiting) < workers:
            await met.wait()
        return await commit(self, partition, topic_id, moves)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "commit", committing)
        yield


def said_at_once(projection: Projection[Any, Any], history: list[Taken]) -> list[UUID]:
    """What follows from a history that is folded in one go, with nothing parked."""
    part = Part(projection.fold)
    part.hold(part.wants(history), {})
    return sorted(derived_id(one.seed) for one in part.take(history)[0].derived)
