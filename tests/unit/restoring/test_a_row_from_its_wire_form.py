"""A row of the ledger follows from its event's wire form, and from nothing that only looks like one."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from events.envelope import NotAnEvent, canonical, splice, unsplice
from services.contracts.examples import EXAMPLES
from services.contracts.examples.wire import Example
from services.ledger.ledger import Recorded
from services.restoring.rows import NotARow, row_of

MOMENT = datetime(2026, 5, 20, 4, 30, 0, 7, tzinfo=UTC)
BODY = {
    "commandid": str(UUID(int=5)),
    "commandmac": "ab" * 32,
    "data": {"text": "é", "rien": None},
    "id": str(UUID(int=1)),
    "partitionkey": "bi:home:1",
    "streamversion": 3,
    "subject": "report/1",
    "type": "report.received",
}
ROW = Recorded(
    7, "report/1", 3, UUID(int=1), "report.received", "bi:home:1", MOMENT, UUID(int=5), b"\xab" * 32, canonical(BODY)
)


def test_every_column_comes_back() -> None:
    again = row_of(ROW.wire())
    assert {field.name: getattr(again, field.name) for field in fields(Recorded)} == {
        field.name: getattr(ROW, field.name) for field in fields(Recorded)
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.path)
def test_every_published_example_is_a_row(example: Example) -> None:
    assert row_of(example.wire()).wire() == example.wire()


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        (b"", "does not begin with a sequence"),
        (b"[]", "does not begin with a sequence"),
        (ROW.wire()[:-1], "no JSON"),
        (ROW.wire().replace(b'"streamversion":3', b'"streamversion": 3'), "not canonical"),
        (ROW.wire().replace(b'"streamversion":3', b'"streamversion":3.0'), "no JSON without floats"),
        (splice(canonical(BODY | {"streamversion": 0}), 7, MOMENT), "streamversion"),
        (splice(canonical(BODY | {"streamversion": True}), 7, MOMENT), "streamversion"),
        (splice(canonical(BODY | {"commandmac": "AB" * 32}), 7, MOMENT), "commandmac"),
        (splice(canonical(BODY | {"id": str(UUID(int=1)).replace("-", "")}), 7, MOMENT), "its id is not written"),
        (splice(canonical(BODY | {"commandid": "x"}), 7, MOMENT), "its commandid is no id"),
        (splice(canonical(BODY | {"subject": ""}), 7, MOMENT), "its subject is no text"),
        (splice(canonical({key: one for key, one in BODY.items() if key != "type"}), 7, MOMENT), "its type is no text"),
        (ROW.wire().replace(b"2026-05-20T04:30:00.000007Z", b"2026-05-20T04:30:00.00007ZZ"), "time"),
        (ROW.wire().replace(b"04:30:00.000007Z", b"04:30:00.0000070"), "sequence and time"),
    ],
)
def test_what_no_ledger_gave_is_refused_with_what_is_wrong(wire: bytes, why: str) -> None:
    with pytest.raises(NotARow, match=why):
        row_of(wire)


def test_what_was_spliced_comes_apart_again() -> None:
    apart = unsplice(ROW.wire())
    assert (apart.body, apart.position, apart.recorded_at, apart.version) == (ROW.body, 7, MOMENT, ROW.splice_version)
    assert orjson.loads(apart.body) == BODY
    with pytest.raises(NotAnEvent):
        unsplice(ROW.body)
