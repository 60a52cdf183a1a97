"""Overriding a level: in the row of its unit, until a moment that comes, and ended only while it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from events.alert import (
    LONGEST_SILENCE,
    MOST_SILENCES,
    Acknowledge,
    AcknowledgedAlready,
    AlertChange,
    Alerting,
    AlertOverridden,
    AnotherAlert,
    Code,
    EndOverride,
    EndSilence,
    NothingOverridden,
    NothingSilenced,
    Override,
    Silence,
    SilenceReason,
    TooManySilences,
    acknowledge,
    end_override,
    end_silence,
    evolve,
    override,
    silence,
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


PLACE = ("Bubanza", (Code(scheme="pcode", code="BI0101"),))


def test_a_silence_is_bounded_and_says_what_it_holds_back() -> None:
    command = Silence(
        unit=UNIT, until=NOW + timedelta(days=2), reason=SilenceReason.PLANNED_EVENT, changes=("raised", "raised")
    )
    deed = act(INES)
    (event,) = silence(Alerting(), command, deed, person=one("ines"), silence_id=one("silence"), place=PLACE)
    assert (event.unit_name, event.codes, event.up_to_level, event.changes) == (*PLACE, 3, (AlertChange.RAISED,))
    beyond = [
        ("unit", command, None),
        ("until", command.model_copy(update={"until": NOW}), PLACE),
        ("until", command.model_copy(update={"until": NOW + LONGEST_SILENCE + timedelta(seconds=1)}), PLACE),
        ("changes", command.model_copy(update={"changes": (AlertChange.CANCELLED,)}), PLACE),
    ]
    for field, wrong, place in beyond:
        with pytest.raises(BadInput) as refused:
            silence(Alerting(), wrong, deed, person=one("ines"), silence_id=one("silence"), place=place)
        assert [problem.field for problem in refused.value.problems] == [field]
    with pytest.raises(ValidationError):
        Silence(unit=UNIT, until=NOW + timedelta(days=2), reason=SilenceReason.PLANNED_EVENT, up_to_level=4)


def test_only_a_silence_that_stands_is_ended_and_only_so_many_stand() -> None:
    command = Silence(unit=UNIT, until=NOW + timedelta(days=2), reason=SilenceReason.PLANNED_EVENT)
    alerting = Alerting()
    for number in range(MOST_SILENCES):
        (event,) = silence(
            alerting, command, act(INES), person=one("ines"), silence_id=one(f"silence {number}"), place=PLACE
        )
        alerting = evolve(alerting, event)
    with pytest.raises(TooManySilences, match="10 silences of bi:commune stand already"):
        silence(alerting, command, act(INES), person=one("ines"), silence_id=one("one more"), place=PLACE)
    end = EndSilence(unit=UNIT, silence_id=one("silence 0"))
    (over,) = end_silence(alerting, end, act(INES), person=one("ines"))
    for nothing, at in ((evolve(alerting, over), NOW), (alerting, NOW + timedelta(days=2)), (Alerting(), NOW)):
        with pytest.raises(NothingSilenced):
            end_silence(nothing, end, act(INES, at=at), person=one("ines"))
