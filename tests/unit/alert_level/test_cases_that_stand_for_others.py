"""The random histories do hold what they are there for: cases that stand, fall and rise by those merged into them."""

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
def test_many_cases_stand_on_what_was_merged_into_them_and_fall_with_it(
    make: Callable[[int, int], Sequence[Taken]],
) -> None:
    happened: Counter[str] = Counter()
    for seed in range(100):
        weighed: dict[str, tuple[bool, bool]] = {}
        part = Part(PROJECTION.fold)
        for event in make(seed, 50):
            page, _ = part.take([event])
            for _, case_id, _, unit, laid_by, body in page.rows.get("case", ()):
                case = case_of(case_id, unit, body)
                lost, counted = weighed.get(case_id, (False, False))
                counts = case.weight.given > 0 and not laid_by
                weighed[case_id] = case.lost, counts
                if case.lost and counts:
                    happened["stands on others"] += 1
                if laid_by and case.into and event.type in LOSING:
                    happened["loses a report while merged and laid by"] += 1
                if event.stream != f"case/{case_id}" and lost and case.lost and counts != counted:
                    how = "a report" if event.type in LOSING else event.type
                    happened[f"{'rises' if counts else 'falls'} by {how}"] += 1

    assert happened["stands on others"] > 100, happened
    assert happened["loses a report while merged and laid by"] > 50, happened
    assert happened["falls by a report"] > 8, happened
    assert happened["falls by case.merge_reversed"] > 8, happened
    assert happened["rises by case.merged"] > 8, happened
