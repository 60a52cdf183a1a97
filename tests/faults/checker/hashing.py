"""Merkle tree hashes as RFC 6962 defines them: a leaf under 0, two trees side by side under 1."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import sha256

EMPTY = sha256().digest()


class Growing:
    """A tree that grows by one leaf after the other: of each full tree that it is made of, the hash, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[tuple[int, bytes]] = []

    def add(self, entry: bytes) -> None:
        width, node = 1, sha256(b"\x00" + entry).digest()
        while self._full and self._full[-1][0] == width:
            _, left = self._full.pop()
            width, node = 2 * width, _over(left, node)
        self._full.append((width, node))
        self.size += 1

    @property
    def root(self) -> bytes:
        """What is rightmost is joined first: the left is the largest power of two that leaves some for the right."""
        if not self._full:
            return EMPTY
        node = self._full[-1][1]
        for _, left in reversed(self._full[:-1]):
            node = _over(left, node)
        return node


def _over(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def roots(entries: Mapping[int, bytes], sizes: Collection[int]) -> dict[int, bytes]:
    """The root over entries 1 to each size; a size is left out where one of these is not there."""
    tree, found = Growing(), {}
    for position in range(1, max(sizes, default=0) + 1):
        if position not in entries:
            break
        tree.add(entries[position])
        if position in sizes:
            found[position] = tree.root
    return found
