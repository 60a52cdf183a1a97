"""However a tree is extended, its tiles are those of the specification, and its proofs those of two implementations."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tlog import merkle
from services.tlog.tiles import (
    Place,
    TileAbsent,
    edge,
    extension,
    found,
    index_path,
    needed,
    path_of,
    read_path,
    tiles_of,
    width_of,
)
from tests.support import reference_merkle as reference
from tests.support.examples import examples
from tests.support.trees import ENTRIES, LEAVES, grown, sizes

LARGEST = 70_000


@given(steps=sizes(1_500), data=st.data())
@examples(60)
def test_any_extension_gives_the_roots_and_proofs_of_the_second_implementation(
    steps: list[int], data: st.DataObject
) -> None:
    tiles, last = grown(steps), steps[-1]
    size = data.draw(st.sampled_from(steps) | st.integers(0, last), label="size")
    assert found(partial(merkle.root, size), tiles) == reference.tree_hash(ENTRIES[:size])
    if size:
        index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
        assert found(partial(merkle.inclusion, index, size), tiles) == reference.path(index, ENTRIES[:size])
        assert found(partial(merkle.consistency, old, size), tiles) == reference.proof(old, ENTRIES[:size])


@given(steps=sizes(1_500))
@examples(60)
def test_any_extension_gives_the_tiles_of_the_specification(steps: list[int]) -> None:
    size = steps[-1]
    tiles = grown(steps)
    assert {place: len(hashes) // 32 for place, hashes in tiles.items()} == dict(tiles_of(size))
    for place, hashes in tiles.items():
        for i in range(len(hashes) // 32):
            begin, end = ((place.number * 256 + i + one) * 256**place.level for one in (0, 1))
            assert hashes[32 * i : 32 * i + 32] == reference.tree_hash(ENTRIES[begin:end])


def test_a_tree_of_three_levels_gives_the_same_in_one_step_and_in_many() -> None:
    at_once, in_steps = grown([0, LARGEST]), grown([0, 1, 255, 256, 257, 65_535, 65_536, 65_537, LARGEST])
    assert at_once == in_steps
    # the example in the specification
    assert [(place.level, place.number, width) for place, width in tiles_of(LARGEST) if width < 256] == [
        (0, 273, 112),
        (1, 1, 17),
        (2, 0, 1),
    ]
    assert len(tiles_of(LARGEST)) == 273 + 1 + 1 + 1 + 1
    for index, old in ((0, 1), (65_535, 65_536), (65_536, 65_537), (LARGEST - 1, LARGEST)):
        stated = found(partial(merkle.root, LARGEST), at_once)
        before = found(partial(merkle.root, old), at_once)
        included = found(partial(merkle.inclusion, index, LARGEST), at_once)
        continued = found(partial(merkle.consistency, old, LARGEST), at_once)
        assert merkle.includes(LEAVES[index], index, LARGEST, included, stated)
        assert merkle.continues(old, LARGEST, continued, before, stated)


@given(size=st.integers(1, 1 << 62), data=st.data())
@examples(100)
def test_a_proof_needs_two_tiles_a_level_and_an_extension_one(size: int, data: st.DataObject) -> None:
    levels = -(-size.bit_length() // 8)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert len(edge(size)) <= levels
    assert len(needed(partial(merkle.root, size))) <= levels
    assert len(needed(partial(merkle.inclusion, index, size))) <= 2 * levels
    assert len(needed(partial(merkle.consistency, old, size))) <= 2 * levels


@given(after=st.integers(0, 1_500), more=st.integers(0, 1_500))
@examples(60)
def test_what_a_reader_lacks_is_what_differs(after: int, more: int) -> None:
    every, had = dict(tiles_of(after + more)), dict(tiles_of(after))
    assert dict(tiles_of(after + more, after)) == {at: width for at, width in every.items() if had.get(at) != width}


@given(level=st.integers(0, 63), index=st.integers(0, 10**18 - 1), width=st.integers(1, 256))
@examples(100)
def test_a_path_leads_back_to_its_tile(level: int, index: int, width: int) -> None:
    assert read_path(path_of(Place(level, index), width)) == (Place(level, index), width)


def test_paths_are_those_of_the_specification() -> None:
    assert index_path(1_234_067) == "x001/x234/067"
    assert path_of(Place(0, 273), 112) == "0/273.p/112"
    assert path_of(Place(1, 0)) == "1/000"


@pytest.mark.parametrize(
    "path",
    [
        "", "0", "0/0", "0/0000", "00/000", "64/000", "100/000", "-1/000", "0/x000/000", "0/001/000", "0/x001/x000",
        "0/000.p/0", "0/000.p/256", "0/000.p/300", "0/000.p/01", "0/000.p/", "0/000.p", "0/000/", "/0/000", "0/000 ",
        "0/٠٠٠", "0/000\n", "a/000", "0/x1/000",
    ],
)  # fmt: skip
def test_no_tile_has_another_path(path: str) -> None:
    assert read_path(path) is None


def test_a_tree_that_is_smaller_or_another_says_so() -> None:
    tiles = grown([0, 300])
    with pytest.raises(TileAbsent):
        found(partial(merkle.root, 301), tiles)
    with pytest.raises(TileAbsent, match="not the edge of a tree of 301 leaves"):
        extension(301, tiles, LEAVES[301:302])
    assert width_of(Place(0, 1), 300) == 44
    assert width_of(Place(0, 2), 300) == width_of(Place(2, 0), 300) == 0
