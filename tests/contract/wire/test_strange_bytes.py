"""Whatever bytes a topic holds, reading gives an event or says why not; it never fails in another way."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalogue import UnknownEvent, read
from events.envelope import Envelope, NotAnEvent
from tests.contract.wire.published import EXAMPLE_FILES

WIRES = [path.read_bytes() for path in EXAMPLE_FILES]
WIRE = next(path.read_bytes() for path in EXAMPLE_FILES if path.name == "1.at_a_form.json")

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00+14:00", "1" * 5000, "\0", "-"])
)
values = st.recursive(
    scalars,
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=9), part, max_size=4),
    max_leaves=9,
)


def outcome(wire: bytes) -> Envelope[Any] | NotAnEvent:
    """What reading gives; any other exception passes through and fails the test."""
    try:
        return read(wire)
    except NotAnEvent as caught:
        error = caught
    assert 0 < len(str(error)) < 1_000
    return error


def changed(**attributes: Any) -> bytes:
    return json.dumps(orjson.loads(WIRE) | attributes).encode()


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, as the steps that lead to it."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [place, *(found for step, part in inner for found in _places(part, (*place, step)))]


@given(st.binary(max_size=200))
def test_random_bytes_are_no_event(wire: bytes) -> None:
    assert isinstance(outcome(wire), NotAnEvent)


@given(values)
def test_random_json_is_no_event(value: Any) -> None:
    assert isinstance(outcome(json.dumps(value).encode()), NotAnEvent)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_an_example_with_one_value_changed_or_gone_reads_or_says_why_not(data: st.DataObject) -> None:
    attributes = orjson.loads(data.draw(st.sampled_from(WIRES)))
    place = data.draw(st.sampled_from(_places(attributes)[1:]))
    parent = attributes
    for step in place[:-1]:
        parent = parent[step]
    if data.draw(st.booleans()):
        del parent[place[-1]]
    else:
        parent[place[-1]] = data.draw(values)
    outcome(json.dumps(attributes).encode())


@settings(max_examples=200)
@given(st.sampled_from(WIRES), st.data())
def test_a_cut_or_overwritten_example_reads_or_says_why_not(wire: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(wire) - 1))
    assert isinstance(outcome(wire[:at]), NotAnEvent)
    outcome(wire[:at] + data.draw(st.binary(min_size=1, max_size=3)) + wire[at + 1 :])


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"null",
        b"[]",
        b'"report.received"',
        b"{}",
        b"\x00",
        b"\xff\xfe",
        WIRE[:-1],
        WIRE + b" {}",
        b"[" * 100_000,
        b'{"data":' * 2_000,
        changed(data=None),
        changed(data=[]),
        changed(type=None),
        changed(type=["report.received"]),
        changed(dataschema=None),
        changed(dataschema="urn:intabaza:schema:case.opened:1"),
        changed(dataschema="urn:intabaza:schema:report.received:"),
        changed(dataschema="urn:intabaza:schema:report.received:0"),
        changed(dataschema="urn:intabaza:schema:report.received:-1"),
        changed(dataschema="urn:intabaza:schema:report.received:٢"),
        changed(dataschema="urn:intabaza:schema:report.received:" + "9" * 5_000),
        changed(sequence="1"),
        changed(sequence=1),
        changed(time="2026-05-20T04:30:00"),
        changed(time="yesterday"),
        changed(time="9999-12-31T23:59:59.999999-14:00"),
        changed(time="0001-01-01T00:00:00+14:00"),
        changed(id="1"),
        changed(streamversion=0),
        changed(partitionkey="Bubanza!"),
        changed(partitionkey="bi\0"),
        changed(commandmac="00"),
    ],
    ids=lambda wire: repr(wire[-40:]),
)
def test_what_is_broken_is_no_event(wire: bytes) -> None:
    error = outcome(wire)
    assert isinstance(error, NotAnEvent)
    assert not isinstance(error, UnknownEvent)


MEANT_WHERE_ABSENT = {"correlationid", "onbehalfof", "datacontenttype", "mode"}


@pytest.mark.parametrize("attribute", sorted(orjson.loads(WIRE).keys() - MEANT_WHERE_ABSENT))
def test_an_event_without_an_attribute_is_no_event(attribute: str) -> None:
    attributes = orjson.loads(WIRE)
    del attributes[attribute]
    with pytest.raises(NotAnEvent, match=attribute):
        read(orjson.dumps(attributes))


def test_a_type_of_a_later_program_is_unknown_and_not_broken() -> None:
    with pytest.raises(UnknownEvent, match=r"dialogue\.held"):
        read(changed(type="dialogue.held", dataschema="urn:intabaza:schema:dialogue.held:1"))


def test_a_version_of_a_later_program_is_unknown_and_not_broken() -> None:
    with pytest.raises(UnknownEvent, match="has version 2, this program knows 1: update it"):
        read(changed(dataschema="urn:intabaza:schema:report.received:2"))


def test_an_unknown_type_of_a_megabyte_is_not_repeated() -> None:
    name = "x" * 1_000_000
    with pytest.raises(UnknownEvent) as caught:
        read(changed(type=name, dataschema=f"urn:intabaza:schema:{name}:1"))
    assert len(str(caught.value)) < 300


def test_a_megabyte_of_unknown_attributes_is_kept() -> None:
    event = read(changed(later="x" * 1_000_000))
    assert event.model_extra == {"later": "x" * 1_000_000}


def test_nul_and_deep_json_in_unknown_attributes_are_kept() -> None:
    deep: Any = "end"
    for _ in range(500):
        deep = [deep]
    event = read(changed(later=deep, other="a\0b"))
    assert event.model_extra == {"later": deep, "other": "a\0b"}
