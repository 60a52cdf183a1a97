"""Roots and proofs are those of RFC 6962: of known vectors and a second implementation; and no other is taken."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tlog.merkle import EMPTY, Whole, consistency, continues, hash_leaf, includes, inclusion, root
from tests.support import reference_merkle as reference
from tests.support.examples import examples

ENTRIES = [
    bytes.fromhex(one)
    for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Of the first 0 to 8 entries, from the tests of Certificate Transparency."""

trees = st.lists(st.binary(max_size=3), min_size=1, max_size=70)


def whole_of(entries: Sequence[bytes]) -> Whole:
    """Complete subtrees alone: a question about any other is a fault."""

    def whole(height: int, index: int) -> bytes:
        within = entries[index << height : (index + 1) << height]
        assert len(within) == 1 << height
        return reference.tree_hash(within)

    return whole


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root(size, whole_of(ENTRIES)).hex() == ROOTS[size]


@given(entries=trees, data=st.data())
@examples(100)
def test_roots_and_proofs_are_those_of_the_second_implementation_and_are_taken(
    entries: list[bytes], data: st.DataObject
) -> None:
    size, whole = len(entries), whole_of(entries)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    stated, before = reference.tree_hash(entries), reference.tree_hash(entries[:old])
    included, continued = inclusion(index, size, whole), consistency(old, size, whole)
    assert root(size, whole) == stated
    assert included == reference.path(index, entries)
    assert continued == reference.proof(old, entries)
    assert includes(hash_leaf(entries[index]), index, size, included, stated)
    assert continues(old, size, continued, before, stated)


@given(entries=trees, data=st.data())
@examples(100)
def test_a_proof_that_was_touched_anywhere_is_not_taken(entries: list[bytes], data: st.DataObject) -> None:
    size, whole = len(entries), whole_of(entries)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    stated, before = root(size, whole), root(old, whole)
    leaf, other = hash_leaf(entries[index]), hash_leaf(b"another entry")
    included, continued = inclusion(index, size, whole), consistency(old, size, whole)
    assert not includes(other, index, size, included, stated)
    assert not includes(leaf, index, size, included, other)
    assert not includes(leaf, size, size, included, stated)
    assert not continues(old, size, continued, other, stated)
    assert not continues(old, size, continued, before, other)

    def included_by(wrong: list[bytes]) -> bool:
        return includes(leaf, index, size, wrong, stated)

    def continued_by(wrong: list[bytes]) -> bool:
        return continues(old, size, wrong, before, stated)

    for proof, taken in ((included, included_by), (continued, continued_by)):
        assert not taken([*proof, other])
        if proof:
            at = data.draw(st.integers(0, len(proof) - 1))
            assert not taken([*proof[:at], other, *proof[at + 1 :]])
            assert not taken([*proof[:at], *proof[at + 1 :]])


@given(entries=trees, data=st.data())
@examples(100)
def test_a_history_that_was_changed_continues_none_that_was_seen(entries: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(1, len(entries)))
    at = data.draw(st.integers(0, old - 1))
    forked = [*entries[:at], entries[at] + b"!", *entries[at + 1 :]]
    proof, seen = consistency(old, len(forked), whole_of(forked)), root(old, whole_of(entries))
    assert not continues(old, len(forked), proof, seen, root(len(forked), whole_of(forked)))


def test_everything_continues_the_empty_tree_and_the_empty_tree_continues_nothing() -> None:
    some = bytes.fromhex(ROOTS[3])
    assert continues(0, 3, [], EMPTY, some)
    assert not continues(0, 3, [some], EMPTY, some)
    assert not continues(0, 3, [], some, some)
    assert not continues(3, 0, [], some, EMPTY)


def test_what_lies_outside_the_tree_has_no_proof() -> None:
    whole = whole_of(ENTRIES)
    for index in (-1, 8):
        with pytest.raises(ValueError, match="expected an index from 0 to 7"):
            inclusion(index, 8, whole)
    for old in (0, 9):
        with pytest.raises(ValueError, match="expected an older size from 1 to 8"):
            consistency(old, 8, whole)
