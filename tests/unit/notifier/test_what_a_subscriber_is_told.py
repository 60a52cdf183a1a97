"""Filters: units with all below them through the gazetteer in force, levels on either side, changes, modes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from events.alert import AlertChange
from events.vocabulary import Mode
from services.ledger.ledger import Recorded
from services.subscribers.filters import Filters, PublicEvent
from tests.support.attending import GIHANGA, PROVINCE, burundi
from tests.support.ledgers import an_alert


def told(unit: str = GIHANGA, mode: Mode = Mode.ACTUAL, **said: Any) -> PublicEvent:
    [append] = an_alert(unit, mode=mode, **said).appends
    [entry] = append.entries
    at = datetime(2026, 5, 20, tzinfo=UTC)
    return PublicEvent.of(
        Recorded(1, append.stream, 1, entry.event_id, entry.type, append.home, at, uuid4(), b"", entry.body)
    )


@pytest.mark.parametrize(
    ("units", "takes"),
    [({GIHANGA}, True), ({PROVINCE}, True), ({"bi"}, True), ({"bi:p2015:ngozi"}, False), (set(), False)],
)
def test_a_unit_stands_for_everything_below_it(units: set[str], takes: bool) -> None:
    assert Filters(units=frozenset(units)).take(told(), burundi("2015")) is takes


def test_units_are_read_through_the_gazetteer_in_force() -> None:
    commune_of_now = next(unit for unit in burundi("2025").units if unit.startswith("bi:c2025:"))
    province_of_now = next(
        unit
        for unit in burundi("2025").units
        if unit.startswith("bi:p2025:") and burundi("2025").lies_in(commune_of_now, unit)
    )
    assert Filters(units=frozenset({province_of_now})).take(told(commune_of_now), burundi("2025"))
    assert not Filters(units=frozenset({PROVINCE})).take(told(commune_of_now), burundi("2025"))
    # a unit by its own id needs no gazetteer
    assert Filters(units=frozenset({GIHANGA})).take(told(), None)


@pytest.mark.parametrize(
    ("before", "after", "minimum", "takes"),
    [(0, 2, 3, False), (2, 3, 3, True), (3, 1, 3, True), (1, 0, 2, False), (0, 2, None, True), (4, 0, 4, True)],
)
def test_a_level_counts_on_either_side_of_a_change(before: int, after: int, minimum: int | None, takes: bool) -> None:
    levels: dict[str, Any] = {"from": before, "to": after}
    event = told(**levels)
    assert Filters(minimum_level=minimum).take(event, None) is takes


def test_what_is_exercised_comes_only_to_who_asks_for_it() -> None:
    drill = told(mode=Mode.EXERCISE)
    assert not Filters().take(drill, None)
    assert Filters(modes=frozenset({"exercise"})).take(drill, None)
    assert not Filters(modes=frozenset({"exercise"})).take(told(), None)


def test_changes_are_chosen_and_a_word_of_a_later_version_comes_to_who_chose_none() -> None:
    lowered = told(change=AlertChange.LOWERED)
    assert Filters(changes=frozenset({"lowered"})).take(lowered, None)
    assert not Filters(changes=frozenset({"raised"})).take(lowered, None)
    assert Filters().take(lowered, None)
