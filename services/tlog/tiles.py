"""Where the hashes of the log's Merkle tree stand in the tiles of C2SP tlog-tiles, and what is found from them.

Pure. Tile N of level L holds up to 256 hashes, and each is the root of a complete subtree of height 8·L; the hash over
a full tile stands in level L + 1. A tile that is not full yet is the beginning of the full one, so that nothing is
written that is ever taken back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from services.tlog.merkle import HASH_BYTES, Whole, hash_node

WIDTH = 256
"""Hashes of a full tile."""

HEIGHT = 8
"""So many levels of the tree stand between one level of tiles and the next."""

HIGHEST = 63
"""The last level that the specification knows."""

_PATH = re.compile(r"(?P<level>0|[1-9]\d?)/(?P<index>(?:x\d{3}/){0,5}\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?")

Found = TypeVar("Found")


class Place(NamedTuple):
    """Which tile."""

    level: int
    number: int


class TileAbsent(LookupError):
    """A tile that is needed is not there, or holds too few hashes: the tree is smaller than what was asked for."""


class Added(NamedTuple):
    """What is written behind the hashes that a tile has, or begins it."""

    level: int
    number: int
    hashes: bytes


def path_of(place: Place, width: int = WIDTH) -> str:
    """Where a tile stands below `tile/`: `0/x001/x234/067`, or `0/000.p/5` where it is partial."""
    return f"{place.level}/{index_path(place.number, width)}"


def index_path(index: int, width: int = WIDTH) -> str:
    """The number of a tile as a path, in steps of three digits, and its width where it is partial."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    steps = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{step}" for step in steps[:-1]), steps[-1]])
    return path if width == WIDTH else f"{path}.p/{width}"


def read_path(path: str) -> tuple[Place, int] | None:
    """The tile of such a path and its width; None where no tile has this path, as each has one only."""
    found = _PATH.fullmatch(path)
    if not found:
        return None
    place = Place(int(found["level"]), int(found["index"].replace("/", "").replace("x", "")))
    width = int(found["width"] or WIDTH)
    right = place.level <= HIGHEST and width <= WIDTH and path_of(place, width) == path
    return (place, width) if right else None


def width_of(place: Place, size: int) -> int:
    """How many hashes this tile has in a tree of this size; 0 where the tree has no such tile."""
    return max(0, min(WIDTH, (size >> HEIGHT * place.level) - place.number * WIDTH))


def tiles_of(size: int, after: int = 0) -> list[tuple[Place, int]]:
    """Every tile of a tree of this size with its width, without those that are the same in one of `after` leaves."""
    tiles = []
    level = 0
    while hashes := size >> HEIGHT * level:
        for index in range((after >> HEIGHT * level) // WIDTH, -(-hashes // WIDTH)):
            place = Place(level, index)
            if width_of(place, size) != width_of(place, after):
                tiles.append((place, width_of(place, size)))
        level += 1
    return tiles


def edge(size: int) -> list[Place]:
    """The tiles that are partial in a tree of this size: what must be known to extend it, one a level at most."""
    places = []
    level = 0
    while hashes := size >> HEIGHT * level:
        if hashes % WIDTH:
            places.append(Place(level, hashes // WIDTH))
        level += 1
    return places


def extension(size: int, tiles: Mapping[Place, bytes], leaves: Sequence[bytes]) -> list[Added]:
    """What extends a tree of this size by these leaf hashes; `tiles` are those of its edge.

    Raises TileAbsent where one of the edge has another width than this size says.
    """
    for place in edge(size):
        if len(tiles.get(place, b"")) != HASH_BYTES * width_of(place, size):
            raise TileAbsent(f"tile {path_of(place)} is not the edge of a tree of {size} leaves")
    added = []
    level, begin, hashes = 0, size, leaves
    while hashes:
        above: list[bytes] = []
        at = 0
        while at < len(hashes):
            place = Place(level, (begin + at) // WIDTH)
            has = tiles[place] if (begin + at) % WIDTH else b""
            new = b"".join(hashes[at : at + WIDTH - len(has) // HASH_BYTES])
            added.append(Added(*place, new))
            at += len(new) // HASH_BYTES
            if (begin + at) % WIDTH == 0:
                above.append(over(has + new))
        level, begin, hashes = level + 1, begin // WIDTH, above
    return added


def needed(find: Callable[[Whole], object]) -> list[Place]:
    """The tiles from which a root or a proof is found: `find` is asked once for nothing, only to hear what it asks."""
    places: dict[Place, None] = {}

    def whole(height: int, index: int) -> bytes:
        places[_place(height, index)[0]] = None
        return b""

    find(whole)
    return list(places)


def found(find: Callable[[Whole], Found], tiles: Mapping[Place, bytes]) -> Found:
    """The root or the proof, from these tiles; raises TileAbsent where they do not hold what it needs."""

    def whole(height: int, index: int) -> bytes:
        place, first, count = _place(height, index)
        hashes = tiles.get(place, b"")[HASH_BYTES * first : HASH_BYTES * (first + count)]
        if len(hashes) < HASH_BYTES * count:
            raise TileAbsent(f"tile {path_of(place)} has no hashes {first} to {first + count - 1}")
        return over(hashes)

    return find(whole)


def over(hashes: bytes) -> bytes:
    """The root over the complete subtrees whose roots these are, one after the other; a power of two of them."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [hash_node(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def _place(height: int, index: int) -> tuple[Place, int, int]:
    """In which tile a complete subtree's root is found, over which of its hashes, and over how many."""
    level, rest = divmod(height, HEIGHT)
    first = index << rest
    return Place(level, first // WIDTH), first % WIDTH, 1 << rest
