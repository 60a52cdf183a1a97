"""Before its engine is adopted the board knows its gaps and tells none; then it tells those that stand."""

from __future__ import annotations

import pytest

from events.reference import EngineAdopted
from events.vocabulary import wire_time
from projections.part import Part, Unfoldable
from projections.projection import NEVER
from projections.referral_board import PROJECTION
from tests.support.domain import CASE, LATER, OTHER_CASE, SOON, opened, referred
from tests.support.projected import folded
from tests.support.written import Written
from tests.unit.referral_board.told import CASE_STREAM, acknowledged, completed, overdue, tick, told


def adopt(log: Written, projection: str = "referral_board", number: int = 1) -> Written:
    return log.write("reference/engines", EngineAdopted(projection=projection, number=number))


def a_silent_board() -> Written:
    return Written().write(CASE_STREAM, opened(), referred())


def test_before_an_engine_is_adopted_gaps_have_rows_and_are_not_told() -> None:
    page, derived = folded(PROJECTION, tick(a_silent_board().after(days=4)).events)

    assert derived == []
    assert [row[1] for row in page.rows["gap"]] == ["acknowledgement", "action"]


def test_when_it_is_adopted_it_tells_what_is_overdue_then_and_unanswered() -> None:
    log = tick(a_silent_board().after(days=1)).write(CASE_STREAM, acknowledged())
    adopt(tick(log.after(days=3)))

    assert [(one.data.awaited, one.due) for one in overdue(log)] == [("action", wire_time(LATER))]


def test_what_was_answered_before_is_never_told() -> None:
    log = tick(a_silent_board().after(days=4)).write(CASE_STREAM, completed())

    assert told(tick(adopt(log))) == []


def test_what_falls_due_at_the_adoption_is_told_by_it_and_once() -> None:
    log = adopt(a_silent_board().after(hours=6))

    assert [one.due for one in overdue(tick(log))] == [wire_time(SOON)]


def test_what_falls_due_later_is_told_when_it_does() -> None:
    assert told(tick(adopt(a_silent_board()).after(hours=7))) == [("acknowledgement", 1)]


def test_an_engine_adopted_again_tells_nothing_twice() -> None:
    log = adopt(tick(adopt(a_silent_board()).after(days=4)))

    assert told(adopt(tick(log))) == [("acknowledgement", 1), ("action", 1)]


def test_another_projections_engine_is_not_its_own() -> None:
    assert told(adopt(tick(a_silent_board().after(days=4)), "alert_level")) == []


def test_gaps_of_many_cases_are_told_in_order_of_moment_and_case() -> None:
    log = a_silent_board().write(f"case/{OTHER_CASE}", opened(case_id=OTHER_CASE), referred("another"))

    dues = [(one.due, one.data.case_id) for one in overdue(adopt(tick(log.after(days=4))))]
    assert [due for due, _ in dues] == sorted(due for due, _ in dues)
    assert {case_id for _, case_id in dues} == {CASE, OTHER_CASE}
    assert len(dues) == 4


def test_a_gap_that_waits_for_an_engine_keeps_its_case_among_those_with_a_due() -> None:
    part = Part(PROJECTION.fold)
    log = tick(a_silent_board().after(days=4))
    part.hold(part.wants(log.events), {})
    part.take(log.events)

    assert PROJECTION.fold.due(part.states[CASE_STREAM]) == NEVER
    part.let_go([CASE_STREAM])
    assert part.wants(adopt(log).events[-1:]) == {CASE_STREAM}
    assert part.wants(tick(log).events[-1:]) == set()


def test_an_engine_of_a_later_program_stops_the_worker() -> None:
    with pytest.raises(Unfoldable, match="engine 2 of referral_board speaks, this program knows up to 1"):
        Part(PROJECTION.fold).take(adopt(Written(), number=2).events)
