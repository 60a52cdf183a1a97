"""The Merkle tree of the log: hashes, roots, and proofs of inclusion and consistency (RFC 6962 and 9162, SHA-256).

Pure. The leaf of position p has index p - 1: the hash of the event's bytes as they stand on Kafka. Whoever keeps the
tree hands over `whole`: the root over the 2**height leaves from index * 2**height on, for complete subtrees alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32

EMPTY = sha256().digest()
"""The root over no leaves."""

Whole = Callable[[int, int], bytes]
"""(height, index) → the root of a complete subtree."""


def hash_leaf(entry: bytes) -> bytes:
    """The hash of one entry."""
    return sha256(b"\x00" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root(size: int, whole: Whole) -> bytes:
    """The root over the first `size` leaves."""
    return _root(0, size, whole) if size else EMPTY


def peaks(size: int, whole: Whole) -> list[bytes]:
    """The roots of the whole subtrees that the first `size` leaves consist of, the largest first."""
    return _peaks(0, size, whole)


def inclusion(index: int, size: int, whole: Whole) -> list[bytes]:
    """The proof that the leaf at `index` is in the tree of `size` leaves, from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"expected an index from 0 to {size - 1}, not {index}")
    proof = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(_root(middle, end, whole))
            end = middle
        else:
            proof.append(_root(begin, middle, whole))
            begin = middle
    return proof[::-1]


def consistency(old: int, new: int, whole: Whole) -> list[bytes]:
    """The proof that the tree of `old` leaves is the beginning of that of `new`; empty where they are of one size."""
    if not 0 < old <= new:
        raise ValueError(f"expected an older size from 1 to {new}, not {old}")
    proof = []
    begin, end = 0, new
    known = True  # whoever verifies knows the root over exactly the old leaves
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            proof.append(_root(middle, end, whole))
            end = middle
        else:
            proof.append(_root(begin, middle, whole))
            begin, known = middle, False
    if not known:
        proof.append(_root(begin, end, whole))
    return proof[::-1]


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], stated: bytes) -> bool:
    """Whether the proof leads from this leaf's hash to the stated root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = hash_node(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = hash_node(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == stated


def continues(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the proof shows that the tree of the new root begins with that of the old one (RFC 9162, 2.1.4.2).

    Every tree continues the empty one, and needs no proof for it.
    """
    if not 0 <= old <= new:
        return False
    if old == 0:
        return not proof and old_root == EMPTY and (new > 0 or new_root == EMPTY)
    if old == new:
        return not proof and old_root == new_root
    # the old tree is one complete subtree: its root is where the proof begins, and is not repeated in it
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    was = now = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            was, now = hash_node(sibling, was), hash_node(sibling, now)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            now = hash_node(now, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


def _root(begin: int, end: int, whole: Whole) -> bytes:
    """The root over the leaves from `begin` to before `end`; one of the tree's own subtrees, whole or at its edge."""
    found = _peaks(begin, end, whole)
    above = found.pop()
    while found:
        above = hash_node(found.pop(), above)
    return above


def _peaks(begin: int, end: int, whole: Whole) -> list[bytes]:
    found: list[bytes] = []
    while begin < end:
        height = (end - begin).bit_length() - 1
        found.append(whole(height, begin >> height))
        begin += 1 << height
    return found


def _split(size: int) -> int:
    """The largest power of two below a size of at least two."""
    return 1 << (size - 1).bit_length() - 1
