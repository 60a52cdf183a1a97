"""The random histories do hold what they are there for: cases that were laid by, came back, and lost a report then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from projections.alert_level import PROJECTION
from projections.alert_level.rows import case_of
from projections.part import Part
from projections.taken import Taken
from tests.support.level_histories import history
from tests.support.reform_histories import reform_history

LOSING = ("report.withdrawn", "report.superseded", "case.report_unlinked")


@pytest.mark.parametrize("make", [history, reform_history])
def test_many_cases_come_back_after_they_were_laid_by_and_some_lose_their_ground_then(
    make: Callable[[int, int], Sequence[Taken]],
) -> None:
    happened: Counter[str] = Counter()
    for seed in range(100):
        laid_by: set[str] = set()
        returned: set[str] = set()
        part = Part(PROJECTION.fold)
        for event in make(seed, 50):
            page, _ = part.take([event])
            for _, case_id, _, unit, over, body in page.rows.get("case", ()):
                if over:
                    laid_by.add(case_id)
                elif case_id in laid_by:
                    happened[event.type] += 1
                    laid_by.discard(case_id)
                    returned.add(case_id)
                elif case_id in returned and event.type in LOSING and case_of(case_id, unit, body).lost:
                    happened["without ground"] += 1
                    returned.discard(case_id)

    assert happened["case.merge_reversed"] > 20, happened
    assert happened["case.reopened"] > 20, happened
    assert happened["without ground"] > 5, happened
