"""Offsets are committed for tools that show lag and decide nothing: what becomes of such a commit harms nobody."""

from __future__ import annotations

import asyncio
import signal
from itertools import islice
from typing import TYPE_CHECKING

from kafka import KafkaAdminClient

from services.local.topics import EVENTS
from tests.support.feeds import Feeding, history
from tests.support.topics import end_offsets

if TYPE_CHECKING:
    from tests.support.working import WorkTrial


MOST_ROUNDS = 5
"""How often it is frozen until one of its commits comes too late."""


def committed(work: WorkTrial) -> dict[int, int]:
    """Which offsets the group has committed."""
    admin = KafkaAdminClient(bootstrap_servers=work.kafka.bootstrap)
    try:
        found = admin.list_group_offsets(work.group)[work.group]
    finally:
        admin.close()
    return {at.partition: one.offset for at, one in found.items() if at.topic == EVENTS}


async def all_committed(work: WorkTrial, seconds: float = 60) -> None:
    """Return when the group has committed every partition to its end."""
    ends = await asyncio.to_thread(end_offsets, work.kafka.bootstrap, EVENTS)
    async with asyncio.timeout(seconds):
        while await asyncio.to_thread(committed, work) != ends:  # noqa: ASYNC110 - a broker is asked
            await asyncio.sleep(0.2)


async def test_a_commit_that_comes_too_late_ends_no_worker_and_skips_nothing(work: WorkTrial) -> None:
    """A worker that commits after each batch is frozen, and wakes when its partitions are another's."""
    events, too_late = history(), 0
    with work.worker(None, None, "commits") as other:
        with Feeding(work.feed, events), work.worker(None, None, "commits") as frozen:
            for _ in range(MOST_ROUNDS):
                if not frozen.runs:
                    frozen.start()
                await work.shared(frozen, other)
                await work.goes_on()
                frozen.signal(signal.SIGSTOP)
                await work.all_of(other)
                frozen.signal(signal.SIGCONT)
                await work.goes_on()
                if too_late := frozen.said.count("offsets not committed"):
                    break
            assert too_late, frozen.said
            await work.shared(frozen, other)
            assert frozen.said.count("processor begins") == 1, frozen.said
        await work.all_of(other)
        work.feed.send(islice(events, 400))
        await work.all_folded()
        await all_committed(work)
    await work.assert_exact()
