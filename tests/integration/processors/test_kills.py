"""Workers that are killed, frozen and cut off under load: every event is folded once, none is lost, none twice."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.support.feeds import Feeding, history

if TYPE_CHECKING:
    from tests.support.working import WorkTrial

KILLS = int(os.getenv("INTABAZA_TRIAL_KILLS", "4"))  # noqa: TID251 - a test's own size
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
