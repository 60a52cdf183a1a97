"""Overriding a level: in the row of its unit, until a moment that comes, and ended only while it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.alert import (
    Acknowledge,
    AcknowledgedAlready,
    Alerting,
    AlertOverridden,
    AnotherAlert,
    EndOverride,
    NothingOverridden,
    Override,
    acknowledge,
    end_override,
    evolve,
    override,
)
from events.refusals import BadInput
from tests.support.domain import INES, NOW, act, one

UNIT = "bi:commune"


def overridden(row: str = UNIT, **changes: Any) -> AlertOverridden:
    fields = {"unit": UNIT, "level": 2, "until": NOW + timedelta(days=2), "reason": "protection"} | changes
    (event,) = override(Alerting(), Override(**fields), act(INES), person=one("ines"), row=row)
    return event


def test_an_override_says_what_was_asked() -> None:
    event = overridden()
    assert (event.unit, event.level, event.until, event.note) == (UNIT, 2, NOW + timedelta(days=2), None)


@pytest.mark.parametrize("days", [0, -1, 30.01])
def test_its_end_is_to_come_and_not_far_away(days: float) -> None:
    with pytest.raises(BadInput, match="until: expected a moment to come, at most 30 days from now"):
        overridden(until=NOW + timedelta(days=days))


def test_what_counts_in_another_row_is_overridden_there() -> None:
    with pytest.raises(BadInput, match="unit: expected a commune in force, or a unit above the communes; over"):
        overridden(row="bi:commune:of:the:hill")


def test_only_what_stands_is_ended() -> None:
    command = EndOverride(unit=UNIT)
    standing = evolve(Alerting(), overridden())
    (ended,) = end_override(standing, command, act(INES), person=one("ines"))
    for nothing in (
        Alerting(),
        evolve(standing, ended),
        evolve(Alerting(), overridden(until=NOW + timedelta(seconds=1))),
    ):
        later = act(INES) if nothing.overridden_until is None else act(INES, at=NOW + timedelta(seconds=1))
        with pytest.raises(NothingOverridden, match="no override of bi:commune stands"):
            end_override(nothing, command, later, person=one("ines"))


def test_the_last_alert_is_acknowledged_by_the_first_who_saw_it() -> None:
    command = Acknowledge(unit=UNIT, alert_id=one("alert"))
    (event,) = acknowledge(Alerting(), command, act(INES), person=one("ines"), last=one("alert"))
    assert (event.unit, event.alert_id) == (UNIT, one("alert"))
    for last in (None, one("a later alert")):
        with pytest.raises(AnotherAlert):
            acknowledge(Alerting(), command, act(INES), person=one("ines"), last=last)
    with pytest.raises(AcknowledgedAlready):
        acknowledge(evolve(Alerting(), event), command, act(INES), person=one("ines"), last=one("alert"))
