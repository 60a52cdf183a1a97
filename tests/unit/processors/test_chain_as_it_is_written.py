"""Whatever a record's headers are, reading the chain agrees with reading each link by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.log.record import CONTENT_TYPE, Link, read_link
from services.processors.chain import ChainBroken, Stretch, read_chain


class Read(NamedTuple):
    """A record as a client gives it."""

    offset: int
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None = b"{}"


def one_by_one(records: Sequence[Read], last: int) -> Stretch | tuple[int, int, int]:
    """The reading rule, word for word."""
    stretch = Stretch()
    for record in records:
        link = read_link(record.headers)
        if link is None:
            stretch.foreign.append(record.offset)
        elif link.position <= last:
            stretch.repeats += 1
        elif link.previous != last:
            return record.offset, link.position, link.previous
        else:
            last = link.position
            stretch.following.append((last, record.offset, record.value or b""))  # type: ignore[arg-type]
    return stretch


spellings = st.sampled_from([b"0", b"1", b"2", b"3", b"4", b"7", b"02", b"", b"-1", b" 3", b"+2", b"9" * 19, b"9" * 20])
strange = st.lists(
    st.one_of(
        st.just(CONTENT_TYPE),
        st.tuples(st.sampled_from(["position", "previous", "Position", "content-type"]), spellings),
    ),
    max_size=4,
)
plain = st.builds(lambda a, b: Link(a, b).headers(), st.integers(1, 5), st.integers(0, 4))
anything = st.lists(st.one_of(plain, plain.map(lambda headers: headers[::-1]), strange), max_size=8)


@given(anything, st.integers(0, 3))
def test_reading_a_chain_agrees_with_reading_each_link_by_itself(
    headers: list[list[tuple[str, bytes]]], last: int
) -> None:
    records = [Read(offset, tuple(each)) for offset, each in enumerate(headers)]
    expected = one_by_one(records, last)
    if isinstance(expected, Stretch):
        assert read_chain(0, records, last) == expected
    else:
        offset, position, previous = expected
        with pytest.raises(ChainBroken, match=f"offset {offset}: position {position} says that {previous} stands"):
            read_chain(0, records, last)
