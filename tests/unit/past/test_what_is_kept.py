"""Which places are left behind on a long way, and which go when there are too many."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.past.standing import MOST_ON_THE_WAY, MOST_RECENT, ROUND, distance, stops, surplus

POSITIONS = st.integers(1, 50_000_000)


@given(after=st.integers(0, 50_000_000), until=POSITIONS)
def test_stops_lie_between_and_are_few_however_long_the_way_is(after: int, until: int) -> None:
    found = stops(after, until)
    assert all(after < one < until and one % distance(until) == 0 for one in found)
    assert len(found) <= MOST_ON_THE_WAY
    assert distance(until) >= ROUND


@given(after=st.integers(0, 50_000_000), until=POSITIONS, stride=st.integers(1, 9))
def test_with_a_stride_there_are_fewer_of_the_same(after: int, until: int, stride: int) -> None:
    all_of_them, fewer = stops(after, until), stops(after, until, stride)
    assert {*fewer} <= {*all_of_them}
    assert len(all_of_them) // stride <= len(fewer) + 1


@given(until=POSITIONS)
def test_from_the_beginning_no_stretch_is_longer_than_the_distance(until: int) -> None:
    ways = [0, *stops(0, until), until]
    assert max(b - a for a, b in pairwise(ways)) <= distance(until)


@given(asked=st.lists(POSITIONS, max_size=60, unique=True))
def test_round_positions_and_those_asked_for_last_stay(asked: list[int]) -> None:
    going = surplus(asked, max(asked, default=0))
    step = distance(max(asked, default=1))
    kept = [one for one in asked if one not in going]
    assert len([one for one in kept if one % step]) <= MOST_RECENT
    assert len(kept) <= MOST_RECENT + MOST_ON_THE_WAY + 1
    assert not [one for one in going if one % step == 0]
    assert set(asked[:MOST_RECENT]).isdisjoint(going)
