"""A reader of tiled logs as a stranger writes it: from the specifications of C2SP and RFC 6962, with nothing of ours.

It is told where things stand by a function that fetches a path below the log's prefix, from the web or from a folder.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Fetch = Callable[[str], Awaitable[bytes | None]]


def from_folder(folder: Path) -> Fetch:
    """What stands below a folder."""

    async def fetch(path: str) -> bytes | None:
        return (folder / path).read_bytes() if (folder / path).is_file() else None

    return fetch


class Distrust(Exception):
    """Something is not as whoever signed it said."""


class ForeignReader:
    """Reads one log, by its public key as it is handed on."""

    def __init__(self, fetch: Fetch, verifier_key: str) -> None:
        self._fetch = fetch
        self.name, number, key = verifier_key.split("+", 2)
        self._number, self._key = bytes.fromhex(number), b64decode(key)
        if sha256(self.name.encode() + b"\n" + self._key).digest()[:4] != self._number or self._key[0] != 1:
            raise Distrust("no Ed25519 key")

    async def checkpoint(self) -> tuple[int, bytes]:
        """Size and root, once their signature is verified."""
        return self.open((await self._must("checkpoint")).decode())

    def open(self, note: str) -> tuple[int, bytes]:
        text, _, signatures = note.partition("\n\n")
        origin, size, root = text.split("\n")[:3]
        if origin != self.name:
            raise Distrust("another log")
        for line in signatures.splitlines():
            dash, name, coded = line.split(" ")
            raw = b64decode(coded)
            if (dash, name, raw[:4]) == ("\u2014", self.name, self._number):
                Ed25519PublicKey.from_public_bytes(self._key[1:]).verify(raw[4:], f"{text}\n".encode())
                return int(size), b64decode(root)
        raise Distrust("not signed")

    async def leaves(self, size: int) -> list[bytes]:
        """Every leaf's hash; each tile above must be what those below it say."""
        row, level, found = await self._row(0, size), 0, []
        found = row
        while size := size // 256:
            level += 1
            above = await self._row(level, size)
            for number, stated in enumerate(above):
                if mth(row[256 * number : 256 * (number + 1)]) != stated:
                    raise Distrust(f"hash {number} of level {level}")
            row = above
        return found

    async def entries(self, size: int) -> list[bytes]:
        """Every entry, from bundles."""
        found = []
        for number in range(0, size, 256):
            width = min(256, size - number)
            bundle = await self._must(f"tile/entries/{tile_name(number // 256, width)}")
            while bundle:
                length = 2 + int.from_bytes(bundle[:2], "big")
                found.append(bundle[2:length])
                bundle = bundle[length:]
        return found

    async def _row(self, level: int, hashes: int) -> list[bytes]:
        """The hashes of a level, in a tree that has so many there."""
        row = b""
        for number in range(0, hashes, 256):
            width = min(256, hashes - number)
            tile = await self._must(f"tile/{level}/{tile_name(number // 256, width)}")
            if len(tile) != 32 * width:
                raise Distrust("a tile of another width")
            row += tile
        return [row[at : at + 32] for at in range(0, len(row), 32)]

    async def _must(self, path: str) -> bytes:
        found = await self._fetch(path)
        if found is None:
            raise Distrust(f"there is no {path}")
        return found

    def prove(self, proof: str, entry: bytes) -> int:
        """The index at which a tlog-proof proves an entry."""
        head, _, note = proof.partition("\n\n")
        first, numbered, *lines = head.split("\n")
        word, index = numbered.split(" ")
        if (first, word) != ("c2sp.org/tlog-proof@v1", "index"):
            raise Distrust("no proof")
        size, root = self.open(note)
        if climb(sha256(b"\x00" + entry).digest(), int(index), size, [b64decode(one) for one in lines]) != root:
            raise Distrust("it does not lead to the root")
        return int(index)


def tile_name(number: int, width: int) -> str:
    digits = f"{number:03}"
    while len(digits) % 3:
        digits = f"0{digits}"
    *before, last = (digits[at : at + 3] for at in range(0, len(digits), 3))
    name = "".join(f"x{one}/" for one in before) + last
    return name if width == 256 else f"{name}.p/{width}"


def mth(hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, over hashes of leaves or of complete subtrees."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256().digest()
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an audit path of RFC 6962, section 2.1.1, leads to: read backwards, from the root's halves down."""
    if size == 1:
        if path:
            raise Distrust("too long")
        return leaf
    if not path:
        raise Distrust("too short")
    k = 1
    while k * 2 < size:
        k *= 2
    if index < k:
        return sha256(b"\x01" + climb(leaf, index, k, path[:-1]) + path[-1]).digest()
    return sha256(b"\x01" + path[-1] + climb(leaf, index - k, size - k, path[:-1])).digest()
