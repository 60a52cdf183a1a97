"""No fold falls over an event in whatever order, with whatever words a later version may bring."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalogue import CATALOGUE
from events.event import Event
from projections import case_board, case_timeline, coverage, referral_board, review_queue
from projections.projection import Projection
from tests.support.domain import CASE, REPORT
from tests.support.projected import folded
from tests.unit.events.any_event import any_event
from tests.unit.referral_board.told import spoken, tick

PROJECTIONS: tuple[Projection[Any, Any], ...] = (
    case_timeline.PROJECTION,
    case_board.PROJECTION,
    review_queue.PROJECTION,
    referral_board.PROJECTION,
    coverage.PROJECTION,
)
NOUNS = {"case": f"case/{CASE}", "report": f"report/{REPORT}", "reporter": f"reporter/{CASE}"}
ANY = st.lists(st.one_of(*(any_event(event) for noun in NOUNS for event in CATALOGUE[noun])), max_size=40)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda one: one.name)
@settings(max_examples=60, deadline=None)
@given(events=ANY)
def test_any_event_folds_on_any_state(projection: Projection[Any, Any], events: list[Event]) -> None:
    log = spoken()
    for event in events:
        log.write(NOUNS[event.name.partition(".")[0]], event)
        log.after(hours=1)

    folded(projection, tick(log).events)
