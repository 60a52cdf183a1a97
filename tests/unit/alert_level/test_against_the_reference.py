"""The fold agrees, to the last digit and word, with the definition recomputed the slow way from the whole log.

Compared are, again and again, the rows as they stand, every line of history with its explanation, where every case
counts and whether it is laid by, and every event said. `INTABAZA_EXAMPLES=10000` tries as many histories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.vocabulary import wire_time
from projections.alert_level import PROJECTION
from projections.part import Part
from projections.projection import Derived, Projection
from projections.taken import Taken
from tests.support.examples import examples
from tests.support.level_histories import history
from tests.support.levels import Log
from tests.support.reference_level.recomputing import Engines, Recomputed, at_instant, recomputed
from tests.support.reference_level.rows import Ladder
from tests.support.reform_histories import reform_history
from tests.unit.alert_level.rare_histories import RARE
from tests.unit.alert_level.second_engine import WITH_A_SECOND

SEEDS, TICKING = st.integers(0, 2**32), st.booleans()


@examples(45)
@given(seed=SEEDS, length=st.integers(1, 80), ticking=TICKING)
def test_what_many_cases_add_up_to_is_what_the_definition_says(seed: int, length: int, ticking: bool) -> None:
    assert_agree(ticked(history(seed, length), ticking), PROJECTION, {1: 1})


@examples(35)
@given(seed=SEEDS, length=st.integers(1, 60), ticking=TICKING)
def test_reforms_midnights_and_other_rules_make_no_difference_to_that(seed: int, length: int, ticking: bool) -> None:
    assert_agree(ticked(reform_history(seed, length), ticking), PROJECTION, {1: 1})


@examples(15)
@given(seed=SEEDS, length=st.integers(1, 60), ticking=TICKING)
def test_of_two_engines_each_agrees_with_its_reference_and_one_speaks(seed: int, length: int, ticking: bool) -> None:
    assert_agree(ticked(history(seed, length, engines=(1, 2)), ticking), WITH_A_SECOND, {1: 1, 2: 2})


@examples(15)
@given(seed=SEEDS, length=st.integers(1, 60), later=st.integers(0, 10_000_000))
def test_a_level_is_that_of_the_instant_whether_or_not_anything_happened_then(
    seed: int, length: int, later: int
) -> None:
    log = list(reform_history(seed, length))
    instant = wire_time(datetime.fromisoformat(log[-1].time) + timedelta(seconds=later))
    folded = Folded(PROJECTION)
    for event in (*log, replace(log[-1], time=instant)):
        folded.take(event)

    folded.assert_stands(at_instant(log, instant, {1: 1}))


@pytest.mark.parametrize("log", RARE.values(), ids=RARE.keys())
def test_what_chance_seldom_makes_agrees_as_well(log: Log) -> None:
    assert_agree(ticked(log.tick().events, True), PROJECTION, {1: 1})


def ticked(log: Sequence[Taken], ticking: bool) -> Sequence[Taken]:
    """The same history, with a tick after every event if asked for: then all that stands is compared after each."""
    return [one for event in log for one in (event, replace(log[-1], time=event.time))] if ticking else log


def assert_agree(log: Sequence[Taken], projection: Projection[Any, Any], engines: Engines) -> None:
    """Whenever everybody is told something, every home has been rolled to that moment, and everything is compared."""
    folded = Folded(projection)
    for event, expected in recomputed(log, engines):
        folded.take(event)
        if event.is_broadcast:
            folded.assert_stands(expected)


class Folded:
    """What the real fold has written so far, as its tables would keep it."""

    def __init__(self, projection: Projection[Any, Any]) -> None:
        self.part: Part[Any, Any] = Part(projection.fold)
        self.units: dict[tuple[int, str], tuple[Any, ...]] = {}
        self.cases: dict[tuple[int, str], tuple[Any, ...]] = {}
        self.lines: list[tuple[Any, ...]] = []
        self.derived: list[Derived] = []

    def take(self, event: Taken) -> None:
        page, _ = self.part.take([event])
        self.units |= {row[:2]: row[2:] for row in page.rows.get("unit", [])}
        self.cases |= {row[:2]: row[2:5] for row in page.rows.get("case", [])}
        self.lines += page.rows.get("history", [])
        self.derived += page.derived

    def assert_stands(self, expected: Recomputed) -> None:
        for engine, ladder in expected.ladders.items():
            assert self.rows_of(engine) == rows_of(ladder)
            assert self.lines_of(engine) == lines_of(ladder)
            assert self.cases_of(engine) == cases_of(ladder)
        assert self.told() == said(expected)

    def rows_of(self, engine: int) -> dict[str, tuple[Any, ...]]:
        """Each unit as it was written last; explanations read back."""
        mine = {unit: row for (number, unit), row in self.units.items() if number == engine}
        return {unit: (*row[:16], *map(orjson.loads, row[16:])) for unit, row in mine.items()}

    def lines_of(self, engine: int) -> list[tuple[Any, ...]]:
        return sorted((*row[1:8], orjson.loads(row[8])) for row in self.lines if row[0] == engine)

    def cases_of(self, engine: int) -> dict[str, tuple[Any, ...]]:
        """Where each case counts, and whether it is laid by."""
        return {case_id: row for (number, case_id), row in self.cases.items() if number == engine}

    def told(self) -> list[tuple[Any, ...]]:
        ordered = sorted(self.derived, key=lambda one: (one.due, one.stream, int(one.seed.rpartition("/")[2])))
        return [(one.stream, one.home, one.seed, one.due, one.engine, one.data.wire_data()) for one in ordered]


# --- the same of the reference ----------------------------------------------------------------------------------------


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
            row.confidence,
            row.confidence_reason,
            row.lost_since and row.lost_since.isoformat(),
            row.taken_back,
            row.cause,
            row.effective_at,
            row.changes,
            row.rules_hash,
            row.contributions,
            row.peace,
        )
        for unit, row in ladder.rows.items()
    }


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


def cases_of(ladder: Ladder) -> dict[str, tuple[Any, ...]]:
    return {case.case_id: (case.home, case.row, case.laid_by) for case in ladder.cases.values()}


def said(expected: Recomputed) -> list[tuple[Any, ...]]:
    ordered = sorted(expected.voice.said, key=lambda one: (one.due, one.stream, int(one.seed.rpartition("/")[2])))
    return [(one.stream, one.home, one.seed, one.due, one.engine, one.data) for one in ordered]
