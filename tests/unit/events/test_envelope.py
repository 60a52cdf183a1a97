"""The wire form: canonical bytes with known answers, ids that follow from ids, and what a later version brings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalogue import read
from events.envelope import (
    BODY_LIMIT_BYTES,
    WIRE_LIMIT_BYTES,
    Draft,
    NotAnEvent,
    canonical,
    event_id,
    named_id,
    splice,
)
from events.report.events import ReportReceived, ReportSuperseded
from events.vocabulary import Actor, Channel, Kind, Mode, Role
from services.contracts.examples import EXAMPLES

AT_A_FORM = next(example for example in EXAMPLES if example.case == "at_a_form")
MOMENT = datetime(2026, 5, 20, 4, 30, tzinfo=UTC)


def draft(**changes: Any) -> Draft[ReportSuperseded]:
    plain: dict[str, Any] = {
        "event_id": UUID(int=1),
        "source": "urn:intabaza:test",
        "stream": f"report/{UUID(int=2)}",
        "version": 3,
        "home": "bi:c2015:bubanza",
        "data": ReportSuperseded(received_again_as=UUID(int=4), home="bi"),
        "command_id": UUID(int=5),
        "command_mac": b"\xab" * 32,
        "actor": Actor(role=Role.COORDINATOR, ref=UUID(int=6)),
    }
    return Draft(**plain | changes)


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        # RFC 8785 section 3.2.2, its example of a string, without its floats
        (
            {"string": '€$\x0f\nA\'B"\\\\"/', "literals": [None, True, False]},
            '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode(),
        ),
        ({"b": 1, "a": {"d": 2, "c": 3}, "": 0}, b'{"":0,"a":{"c":3,"d":2},"b":1}'),
        ({"10": 1, "1": 2, "A": 3, "a": 4, "_": 5}, b'{"1":2,"10":1,"A":3,"_":5,"a":4}'),
        ({"é": 1, "z": 2, "\u0080": 3}, '{"z":2,"\x80":3,"é":1}'.encode()),
        ("\b\t\n\f\r\x00\x1f", b'"\\b\\t\\n\\f\\r\\u0000\\u001f"'),
        ("\x7f\u2028\u2029</script>", '"\x7f\u2028\u2029</script>"'.encode()),
        ("😀 العربية ñ", '"😀 العربية ñ"'.encode()),
        ("e\u0301 is not é", '"e\u0301 is not é"'.encode()),
        ([0, -1, 1_000_000_000, 9_007_199_254_740_991], b"[0,-1,1000000000,9007199254740991]"),
        ([[], {}, ""], b'[[],{},""]'),
    ],
    ids=lambda part: ascii(part)[:30],
)
def test_canonical_bytes_are_those_of_rfc_8785(value: Any, answer: bytes) -> None:
    assert canonical(value) == answer


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), [1, [0.5]], {"a": {"b": (1, 2.5)}}, {"a": [{"b": float("inf")}]}], ids=repr
)
def test_a_float_is_refused_wherever_it_stands(value: Any) -> None:
    with pytest.raises(TypeError, match="events count in integers"):
        canonical(value)


def test_half_a_pair_of_surrogates_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical({"a": "\ud800"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(), part, max_size=4),
)


@given(json_values)
def test_canonical_bytes_are_a_fixed_point(value: Any) -> None:
    assert orjson.loads(canonical(value)) == value
    assert canonical(orjson.loads(canonical(value))) == canonical(value)


@given(st.dictionaries(st.text(st.characters(codec="ascii")), st.integers(0, 9)), st.randoms())
def test_canonical_bytes_do_not_depend_on_the_order_of_writing(value: dict[str, int], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(value)


def test_a_body_has_these_bytes() -> None:
    assert draft().body() == (
        b'{"actorref":"00000000-0000-0000-0000-000000000006","actorrole":"coordinator",'
        b'"commandid":"00000000-0000-0000-0000-000000000005","commandmac":"' + b"ab" * 32 + b'",'
        b'"data":{"home":"bi","received_again_as":"00000000-0000-0000-0000-000000000004"},'
        b'"datacontenttype":"application/json","dataschema":"urn:intabaza:schema:report.superseded:1",'
        b'"id":"00000000-0000-0000-0000-000000000001","mode":"actual","partitionkey":"bi:c2015:bubanza",'
        b'"source":"urn:intabaza:test","specversion":"1.0","streamversion":3,'
        b'"subject":"report/00000000-0000-0000-0000-000000000002","type":"report.superseded"}'
    )


def test_what_is_not_stated_is_not_written() -> None:
    assert b"null" not in draft().body()
    named = orjson.loads(draft(correlation_id=UUID(int=7), causation_id=UUID(int=8), engine=9).body())
    assert named["correlationid"] == str(UUID(int=7))
    assert named["causationid"] == str(UUID(int=8))
    assert named["engine"] == 9
    assert not {"correlationid", "causationid", "engine", "onbehalfof"} & orjson.loads(draft().body()).keys()


def test_splicing_puts_position_and_time_in_front_and_touches_nothing_else() -> None:
    body = draft().body()
    wire = splice(body, 42, MOMENT)
    front = b'{"sequence":"0000000000000000042","time":"2026-05-20T04:30:00.000000Z",'
    assert wire == front + body[1:]
    assert read(wire).position == 42


def test_one_instant_has_one_spelling() -> None:
    in_bujumbura = MOMENT.astimezone(timezone(timedelta(hours=2)))
    assert splice(b"{}", 1, in_bujumbura) == splice(b"{}", 1, MOMENT)


def test_what_splicing_adds_fits_between_the_two_limits() -> None:
    last = 9_223_372_036_854_775_807
    assert len(splice(b"{" + b" " * (BODY_LIMIT_BYTES - 1), last, MOMENT)) == WIRE_LIMIT_BYTES


def test_a_splice_of_a_later_program_is_refused() -> None:
    with pytest.raises(NotAnEvent, match="older than the ledger"):
        splice(b"{}", 1, MOMENT, version=2)


def test_ids_follow_from_the_command_and_never_meet() -> None:
    command = UUID(int=5)
    ids = [event_id(command, index) for index in range(100)] + [named_id(command, name) for name in ("a", "b", "")]
    assert ids[:100] == [event_id(command, index) for index in range(100)]
    assert len(set(ids)) == len(ids)
    assert {one.version for one in ids} == {8}
    assert event_id(UUID(int=6), 0) not in ids


def test_ids_have_these_values_for_ever() -> None:
    assert str(event_id(UUID(int=5), 0)) == "2b10d98f-480a-8c0b-9114-7bfd1004b9af"
    assert str(named_id(UUID(int=5), "report")) == "61b1bc8b-5e7e-8977-978d-7befca131169"


def test_attributes_of_a_later_version_are_kept() -> None:
    attributes = orjson.loads(splice(draft().body(), 1, MOMENT))
    attributes["brought"] = {"later": [1, None]}
    attributes["data"]["also"] = "later"
    event = read(orjson.dumps(attributes))
    assert event.model_extra == {"brought": {"later": [1, None]}}
    assert event.data.wire_data()["also"] == "later"


def test_an_unknown_word_is_kept_shown_as_other_and_written_as_it_came(received: dict[str, Any]) -> None:
    received["data"] |= {"kind": "cattle_raid", "flags": ["unplaced", "Très étrange"]}
    received["mode"] = "rehearsal"
    event = read(orjson.dumps(received))
    assert isinstance(event.data, ReportReceived)
    assert (event.data.kind.value, event.data.kind.known, event.data.kind.shown) == ("cattle_raid", False, "other")
    assert [flag.shown for flag in event.data.flags] == ["unplaced", "other"]
    assert event.mode.shown == "other"
    assert event.mode is not Mode.ACTUAL
    assert event.data.wire_data() == received["data"]


def test_a_known_word_reads_as_itself(received: dict[str, Any]) -> None:
    data = read(orjson.dumps(received)).data
    assert isinstance(data, ReportReceived)
    assert data.kind is Kind.VIOLENCE
    assert data.channel is Channel.FORM
    assert data.kind.shown == "violence"


@pytest.fixture
def received() -> dict[str, Any]:
    """A report as it stands on the wire."""
    attributes: dict[str, Any] = orjson.loads(AT_A_FORM.wire())
    return attributes
