"""The fold agrees, to the last digit and word, with the definition recomputed the slow way from the whole log.

Compared are the rows as they stand, every line of history with its explanation, where every case counts and whether it
is laid by, and every event said. `INTABAZA_EXAMPLES=10000` tries as many histories.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from projections.alert_level import PROJECTION
from projections.projection import Derived, Page, Projection
from projections.taken import Taken
from tests.support.examples import examples
from tests.support.level_histories import history
from tests.support.projected import folded
from tests.support.reference_level import Engines, Ladder, Recomputed, recompute
from tests.support.reform_histories import reform_history
from tests.unit.alert_level.second_engine import WITH_A_SECOND

SEEDS = st.integers(0, 2**32)


@examples(50)
@given(seed=SEEDS, length=st.integers(1, 80))
def test_what_many_cases_add_up_to_is_what_the_definition_says(seed: int, length: int) -> None:
    assert_agree(history(seed, length), PROJECTION, {1: 1})


@examples(35)
@given(seed=SEEDS, length=st.integers(1, 60))
def test_reforms_midnights_and_other_rules_make_no_difference_to_that(seed: int, length: int) -> None:
    assert_agree(reform_history(seed, length), PROJECTION, {1: 1})


@examples(15)
@given(seed=SEEDS, length=st.integers(1, 60))
def test_of_two_engines_each_agrees_with_its_reference_and_one_speaks(seed: int, length: int) -> None:
    assert_agree(history(seed, length, engines=(1, 2)), WITH_A_SECOND, {1: 1, 2: 2})


def assert_agree(log: Sequence[Taken], projection: Projection[Any, Any], engines: Engines) -> None:
    """The fold is told by a last tick up to when time went on; the reference is told the instant."""
    page, derived = folded(projection, log)
    expected = recompute(log[:-1], log[-1].time, engines)
    for engine, ladder in expected.ladders.items():
        assert rows(page, engine) == rows_of(ladder)
        assert lines(page, engine) == lines_of(ladder)
        assert cases(page, engine) == cases_of(ladder)
    assert told(derived) == said(expected)


# --- as the fold writes them, and as the reference has them -----------------------------------------------------------


def rows(page: Page, engine: int) -> dict[str, tuple[Any, ...]]:
    """The last that was written of each unit; explanations read back."""
    last = {row[1]: row for row in page.rows.get("unit", []) if row[0] == engine}
    return {unit: (*row[2:16], *map(orjson.loads, row[16:])) for unit, row in last.items()}


def rows_of(ladder: Ladder) -> dict[str, tuple[Any, ...]]:
    return {
        unit: (
            row.home,
            row.level,
            row.points,
            row.peace_offset,
            row.window_permille,
            row.straight_to,
            row.open_cases,
            row.outcomes_asked,
            "low",
            "coverage_unknown",
            row.cause,
            row.effective_at,
            row.changes,
            row.rules_hash,
            row.contributions,
            row.peace,
        )
        for unit, row in ladder.rows.items()
    }


def lines(page: Page, engine: int) -> list[tuple[Any, ...]]:
    written = [row for row in page.rows.get("history", []) if row[0] == engine]
    return sorted((*row[1:8], orjson.loads(row[8])) for row in written)


def lines_of(ladder: Ladder) -> list[tuple[Any, ...]]:
    return sorted(
        (
            line.told["unit"],
            line.number,
            line.home,
            line.told["from"],
            line.told["to"],
            line.told["cause"],
            line.told["effective_at"],
            line.told,
        )
        for line in ladder.history
    )


def cases(page: Page, engine: int) -> dict[str, tuple[Any, ...]]:
    """Where each case was last written to count, and whether it is laid by."""
    return {row[1]: row[2:5] for row in page.rows.get("case", []) if row[0] == engine}


def cases_of(ladder: Ladder) -> dict[str, tuple[Any, ...]]:
    return {case.case_id: (case.home, case.row, case.laid_by) for case in ladder.cases.values()}


def told(derived: Sequence[Derived]) -> list[tuple[Any, ...]]:
    ordered = sorted(derived, key=lambda one: (one.due, one.stream, one.seed))
    return [(one.stream, one.home, one.seed, one.due, one.engine, one.data.wire_data()) for one in ordered]


def said(expected: Recomputed) -> list[tuple[Any, ...]]:
    ordered = sorted(expected.voice.said, key=lambda one: (one.due, one.stream, one.seed))
    return [(one.stream, one.home, one.seed, one.due, one.engine, one.data) for one in ordered]
