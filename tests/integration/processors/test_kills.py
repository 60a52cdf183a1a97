"""Workers that are killed, frozen and cut off under load: every event is folded once, none is lost, none twice."""

from __future__ import annotations

import os
import random
import signal
from typing import TYPE_CHECKING

from tests.support.feeds import Feeding, history

if TYPE_CHECKING:
    from services.local.kafka import KafkaServer
    from tests.support.working import WorkTrial

KILLS = int(os.getenv("INTABAZA_TRIAL_KILLS", "3"))  # noqa: TID251 - a test's own size
"""How often each is killed; a long trial asks for more."""


async def test_a_worker_killed_again_and_again_folds_each_event_once(work: WorkTrial) -> None:
    with Feeding(work.feed, history()):
        for _ in range(KILLS):
            with work.worker("one") as worker:
                await work.goes_on()
                worker.kill()
    with work.worker("one"):
        await work.all_folded()
    await work.assert_exact()


async def test_two_workers_that_are_asked_to_end_and_killed_in_turn_share_the_work(work: WorkTrial) -> None:
    chance = random.Random(5)
    with Feeding(work.feed, history()), work.worker("one") as one, work.worker("two") as two:
        for _ in range(2 * KILLS):
            await work.goes_on()
            worker = chance.choice((one, two))
            worker.signal(chance.choice((signal.SIGTERM, signal.SIGKILL)))
            await worker.ended()
            worker.start()
        await work.goes_on()
    with work.worker("one"), work.worker("two"):
        await work.all_folded()
    await work.assert_exact()


async def test_a_frozen_worker_whose_partitions_went_elsewhere_can_do_no_harm_when_it_wakes(work: WorkTrial) -> None:
    """It wakes with a full buffer and a commit in its hands, and still believes that the partitions are its own."""
    with Feeding(work.feed, history()), work.worker() as one, work.worker() as two:
        for frozen, other in ((one, two), (two, one)):
            await work.shared(one, two)
            await work.goes_on()
            frozen.signal(signal.SIGSTOP)
            await work.all_of(other)
            await work.goes_on()
            frozen.signal(signal.SIGCONT)
            await work.goes_on()
            if not frozen.runs:  # it may have been told that it is no member any more, and ended
                frozen.start()
    with work.worker():
        await work.all_folded()
    await work.assert_exact()


async def test_a_worker_outlives_a_broker_that_is_killed_and_comes_back(work: WorkTrial, kafka: KafkaServer) -> None:
    events = history()
    work.feed.send(next(events) for _ in range(1_000))
    with work.worker("one") as worker:
        await work.goes_on()
        for _ in range(2):
            with work.feed.away():
                kafka.kill()
                kafka.start()
            work.feed.send(next(events) for _ in range(1_000))
            await work.all_folded()
        assert worker.runs, worker.said
    await work.assert_exact()
