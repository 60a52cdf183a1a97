"""A record of ours is known by its three headers, and by nothing less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.log.record import CONTENT_TYPE, Headers, Link, read_link

POSITION, PREVIOUS = ("position", b"7"), ("previous", b"5")


def test_the_headers_are_these_three_in_decimal_ascii() -> None:
    assert Link(1_234_567_890_123, 0).headers() == [
        ("content-type", b"application/cloudevents+json"),
        ("position", b"1234567890123"),
        ("previous", b"0"),
    ]


@given(st.integers(1, 2**63 - 1), st.data())
def test_what_is_written_is_read_back(position: int, data: st.DataObject) -> None:
    link = Link(position, data.draw(st.integers(0, position - 1)))
    assert read_link(link.headers()) == link


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [POSITION, PREVIOUS],
        [CONTENT_TYPE, POSITION],
        [CONTENT_TYPE, POSITION, POSITION],
        [CONTENT_TYPE, POSITION, PREVIOUS, ("traceparent", b"00")],
        [("content-type", b"application/json"), POSITION, PREVIOUS],
        [CONTENT_TYPE, ("position", b""), PREVIOUS],
        [CONTENT_TYPE, ("position", b"+7"), PREVIOUS],
        [CONTENT_TYPE, ("position", b"07"), PREVIOUS],
        [CONTENT_TYPE, ("position", b"7.0"), PREVIOUS],
        [CONTENT_TYPE, ("position", b"9" * 20), PREVIOUS],
        [CONTENT_TYPE, ("position", b"\xd9\xa7"), PREVIOUS],
        [CONTENT_TYPE, ("position", b"5"), PREVIOUS],
        [CONTENT_TYPE, ("position", b"4"), PREVIOUS],
    ],
)
def test_anything_else_is_foreign(headers: Headers) -> None:
    assert read_link(headers) is None
