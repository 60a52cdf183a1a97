"""Whatever order events come in, whatever words a later version brought: folding them never raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import reference, reporter
from events.case import state as case_state
from events.case.events import CaseEvent
from events.case.state import Case
from events.catalogue import CATALOGUE
from events.reference import Recipient, RecipientRegistered, Register
from events.report import state as report_state
from events.report.state import Report
from events.reporter import Reporter
from tests.support.domain import CASE, REPORT, fold, one
from tests.unit.events.any_event import any_event

FOLDS: dict[str, tuple[Any, Callable[[Any, Any], Any]]] = {
    "report": (Report(REPORT), report_state.evolve),
    "case": (Case(CASE), case_state.evolve),
    "reporter": (Reporter(one("reporter")), reporter.evolve),
    "reference": (Register(), reference.evolve),
}
STREAMS_WITHOUT_A_FOLD_HERE = {"level", "alert", "custody"}
"""Their events are folded by projections, or by nobody."""


def test_every_stream_that_decisions_read_is_tried() -> None:
    assert CATALOGUE.keys() == FOLDS.keys() | STREAMS_WITHOUT_A_FOLD_HERE


@pytest.mark.parametrize("stream", FOLDS)
@given(data=st.data())
@settings(deadline=None)
def test_any_history_in_any_order_folds(stream: str, data: st.DataObject) -> None:
    state, evolve = FOLDS[stream]
    any_of = st.one_of(*(any_event(event) for event in CATALOGUE[stream]))
    history = data.draw(st.lists(any_of, max_size=12))
    after = fold(state, evolve, history)
    assert after.version == len(history)
    assert f"{after!r}"


@pytest.mark.parametrize(("stream", "name"), [(stream, event.name) for stream in FOLDS for event in CATALOGUE[stream]])
@given(data=st.data())
@settings(deadline=None, max_examples=5)
def test_each_event_alone_folds(stream: str, name: str, data: st.DataObject) -> None:
    state, evolve = FOLDS[stream]
    event = next(event for event in CATALOGUE[stream] if event.name == name)
    once = evolve(state, data.draw(any_event(event)))
    assert evolve(once, data.draw(any_event(event))).version == 2


@given(entries=st.lists(any_event(RecipientRegistered), max_size=5))
def test_any_register_folds(entries: list[RecipientRegistered]) -> None:
    after = fold(Recipient(), reference.evolve_recipient, entries)
    assert after.version == len(entries)
    assert after.conflicting(frozenset({"a"})) is not None


@given(event=st.one_of(*(any_event(event) for event in CATALOGUE["case"])))
def test_an_event_about_an_unknown_referral_changes_only_the_version(event: CaseEvent) -> None:
    """A history cut by a restore may begin in the middle of a referral."""
    if event.name.startswith("case.referral_"):
        assert case_state.evolve(Case(CASE), event) == Case(CASE, version=1)
