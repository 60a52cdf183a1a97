"""Leaves of a log for tests, and its tree extended in any steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from hypothesis import strategies as st

from services.tlog.merkle import hash_leaf
from services.tlog.tiles import Place, extension

ENTRIES: Sequence[bytes] = [number.to_bytes(4) for number in range(70_000)]
"""More than the tiles of two levels hold."""

LEAVES: Sequence[bytes] = [hash_leaf(one) for one in ENTRIES]


def sizes(most: int) -> st.SearchStrategy[list[int]]:
    """Sizes at which a tree is extended, from 0 on: any, and often where a tile is just full."""
    one = st.integers(0, most) | st.integers(0, most // 256).map(lambda tiles: 256 * tiles)
    return st.lists(one, min_size=1, max_size=8).map(lambda some: [0, *sorted(some)])


def grown(steps: Iterable[int]) -> dict[Place, bytes]:
    """The tiles of a tree that was extended in these steps."""
    tiles: dict[Place, bytes] = {}
    for old, new in pairwise(steps):
        for level, number, hashes in extension(old, tiles, LEAVES[old:new]):
            place = Place(level, number)
            tiles[place] = tiles.get(place, b"") + hashes
    return tiles
