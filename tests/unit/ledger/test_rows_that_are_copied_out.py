"""Rows out of what PostgreSQL copies, in pieces of any length; and times as events spell them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.vocabulary import wire_time
from services.ledger.copied import Copied, CopiedRows, WireTimes

SINCE = datetime(2000, 1, 1, tzinfo=UTC)

rows_of_a_ledger = st.lists(
    st.tuples(
        st.integers(1, 2**62), st.integers(1, 2**62), st.integers(1, 9), st.integers(-(2**62), 2**62),
        st.text(max_size=9), st.text(max_size=9), st.binary(max_size=40),
    ),
    max_size=5,
)  # fmt: skip


def copied(rows: list[Copied]) -> bytes:
    """As PostgreSQL's documentation says that a binary copy looks."""
    parts = [b"PGCOPY\n\xff\r\n\0", struct.pack("!ii", 0, 0)]
    for row in rows:
        *numbers, stream, repeated, body = row
        parts.append(struct.pack("!h", len(row)))
        for code, number in zip("qqhq", numbers, strict=True):
            parts.append(struct.pack(f"!i{code}", struct.calcsize(f"!{code}"), number))
        parts += [struct.pack("!i", len(value)) + value for value in (stream.encode(), repeated.encode(), body)]
    return b"".join([*parts, struct.pack("!h", -1)])


@given(rows_of_a_ledger, st.integers(1, 200))
def test_rows_are_read_from_pieces_of_any_length(rows: list[Copied], each: int) -> None:
    content, reading = copied(rows), CopiedRows()
    pieces = [content[at : at + each] for at in range(0, len(content), each)]
    assert [row for piece in pieces for row in reading.of(piece)] == rows
    reading.end()


@given(rows_of_a_ledger, st.integers(1, 60))
def test_a_copy_that_ends_early_is_none(rows: list[Copied], missing: int) -> None:
    reading = CopiedRows()
    whole = list(reading.of(copied(rows)[:-missing]))
    assert whole == rows[: len(whole)]
    with pytest.raises(asyncpg.InterfaceError, match="in the middle of a row"):
        reading.end()


def test_another_form_of_copy_is_refused() -> None:
    with pytest.raises(asyncpg.InterfaceError, match="a form that is not known here"):
        list(CopiedRows().of(b"1\ttest/1\t1\t{}" * 9))


@given(st.lists(st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)), min_size=1))  # noqa: DTZ001
def test_times_are_spelled_as_events_spell_them(moments: list[datetime]) -> None:
    written = WireTimes()
    for moment in (near for one in moments for near in (one, one + timedelta(seconds=1))):
        assert written((moment - SINCE) // timedelta(microseconds=1)) == wire_time(moment).encode()
