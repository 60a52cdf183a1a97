"""The search for canaries finds every spelling it promises to; one that finds nothing would prove nothing."""

from __future__ import annotations

import gzip
import importlib
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from tests.support.canaries import PIECE_BYTES, Canaries, personal_fields

lz4_frame = importlib.import_module("lz4.frame")  # it brings no types

FIELD = "report.received.text"


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
def test_every_spelling_is_found(before: bytes) -> None:
    canaries = Canaries()
    text = canaries.text(FIELD)
    raw = before + text.encode() + b" and more"
    for spelling in (
        raw,
        raw.upper(),
        raw.decode().encode("utf-16-le"),
        raw.decode().encode("utf-16-be"),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        b64encode(raw),
        urlsafe_b64encode(raw),
        orjson.dumps({"text": raw.decode()}),
        lz4_frame.compress(b"so much before it " * 50 + raw),
    ):
        assert canaries.in_bytes(b"left" + spelling + b"right", "here"), spelling


def test_a_part_is_found_where_a_packer_put_a_byte_between_every_eight() -> None:
    canaries = Canaries()
    text = canaries.text(FIELD).encode()
    for shift in range(8):
        packed = text[:shift] + b"".join(b"\0" + text[at : at + 8] for at in range(shift, len(text), 8))
        assert canaries.in_bytes(packed, "here")


def test_the_field_is_named_and_the_place_told() -> None:
    canaries = Canaries()
    canaries.text("report.graded.note")
    found = canaries.in_bytes(b"abc" + canaries.text(FIELD).encode(), "here")
    assert (FIELD, "here", 3) in {(one.canary, one.where, one.at) for one in found}


def test_phones_and_ids_are_found_in_any_form() -> None:
    canaries, person = Canaries(), uuid4()
    canaries.watch("id of anna", str(person))
    phone = canaries.phone("anna")
    for data in (phone.encode(), phone[1:].encode(), str(person).encode(), person.bytes, person.hex.upper().encode()):
        assert canaries.in_bytes(b"x" + data + b"x", "here")


def test_what_holds_no_canary_is_clean() -> None:
    canaries = Canaries()
    text = canaries.text(FIELD)
    assert canaries.in_bytes(Canaries().text(FIELD).encode() + gzip.compress(b"words" * 100), "here") == []
    assert Canaries(canaries._history).text(FIELD) == text


def test_a_file_is_searched_across_its_pieces(tmp_path: Path) -> None:
    canaries = Canaries()
    text = canaries.text(FIELD).encode()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "log").write_bytes(b"." * (PIECE_BYTES - 9) + text + b"." * 100)
    found = canaries.in_folder(tmp_path)
    assert {(one.canary, one.at) for one in found} >= {(FIELD, PIECE_BYTES - 9)}


def test_a_search_without_canaries_is_no_search() -> None:
    with pytest.raises(AssertionError, match="could not find anything"):
        Canaries().in_bytes(b"", "here")


def test_the_fields_to_watch_are_those_that_the_catalogue_seals() -> None:
    fields = personal_fields()
    assert {"report.received.text", "report.received.contact", "case.opened.summary"} <= set(fields)
    assert {"reporter.enrolled.person_name", "case.consent_recorded.person"} <= set(fields)
    assert "report.received.kind" not in fields
