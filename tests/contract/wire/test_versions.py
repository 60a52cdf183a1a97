"""An event with two versions: old bytes are lifted at the edge, and readers know the newest only."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import pytest

from events.catalogue import UnknownEvent, read
from events.envelope import Draft, NotAnEvent, splice
from events.event import Event
from events.reporter import ReporterCheckedIn
from events.upcasts import Upcast
from events.vocabulary import Actor, Count, Role
from services.contracts.examples.wire import BEGINNING
from services.vault.opening import sealed_fields
from tests.contract.wire.published import FOLDER


class HouseBurntFirst(Event):
    """As its first version was: one number."""

    name: ClassVar[str] = "house.burnt"
    houses: Count


class HouseBurnt(Event):
    """As it is now: a range."""

    name: ClassVar[str] = "house.burnt"
    schema_version: ClassVar[int] = 2
    fewest: Count
    most: Count


def _into_a_range(data: dict[str, Any]) -> dict[str, Any]:
    houses = data.pop("houses")
    return {**data, "fewest": houses, "most": houses}


EVENTS = {"house.burnt": HouseBurnt}
UPCASTS: dict[tuple[str, int], Upcast] = {("house.burnt", 1): _into_a_range}


def wire(data: Event) -> bytes:
    draft = Draft(
        event_id=UUID(int=1),
        source="urn:intabaza:test",
        stream="house/1",
        version=1,
        home="bi",
        data=data,
        command_id=UUID(int=2),
        command_mac=b"\1" * 32,
        actor=Actor(role=Role.SYSTEM, ref=UUID(int=3)),
    )
    return splice(draft.body(), 1, BEGINNING)


def test_old_bytes_read_as_the_newest_version() -> None:
    event = read(wire(HouseBurntFirst(houses=3)), EVENTS, UPCASTS)
    assert event.data == HouseBurnt(fewest=3, most=3)


def test_lifting_keeps_what_the_step_does_not_know() -> None:
    event = read(wire(HouseBurntFirst.model_validate({"houses": 3, "roof": "thatch"})), EVENTS, UPCASTS)
    assert event.data.model_extra == {"roof": "thatch"}


def test_new_bytes_are_read_as_they_are() -> None:
    event = read(wire(HouseBurnt(fewest=2, most=5)), EVENTS, UPCASTS)
    assert event.data == HouseBurnt(fewest=2, most=5)


def test_a_program_of_the_first_version_calls_the_second_unknown() -> None:
    with pytest.raises(UnknownEvent, match="has version 2, this program knows 1"):
        read(wire(HouseBurnt(fewest=2, most=5)), {"house.burnt": HouseBurntFirst}, {})


def test_a_sign_of_life_of_the_first_version_is_read_without_what_it_told_in_clear() -> None:
    old = (FOLDER / "reporter.checked_in" / "1.nothing_to_report.json").read_bytes()
    assert b'"nothing_to_report":true' in old
    event = read(old)
    assert isinstance(event.data, ReporterCheckedIn)
    assert event.data.wire_data().keys() == {"on", "channel", "felt_safety"}
    assert sealed_fields(event) == ("felt_safety",)


def test_a_missing_step_is_said_and_is_no_crash() -> None:
    with pytest.raises(NotAnEvent, match=r"house\.burnt 1 cannot be lifted to version 2"):
        read(wire(HouseBurntFirst(houses=3)), EVENTS, {})


def test_bytes_that_no_program_wrote_are_no_event_and_no_crash() -> None:
    forged = wire(HouseBurntFirst(houses=3)).replace(b'"houses":3', b'"house":3')
    with pytest.raises(NotAnEvent, match="cannot be lifted"):
        read(forged, EVENTS, UPCASTS)
