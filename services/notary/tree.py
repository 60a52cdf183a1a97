"""The log's Merkle tree in PostgreSQL: extended at its edge, asked once for a root or a proof of any size."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

import asyncpg

from projections.sql import named_queries
from services.database.lost import LOST
from services.ledger.ledger import unavailable
from services.tlog import merkle
from services.tlog.merkle import Whole
from services.tlog.tiles import Place, TileAbsent, edge, extension, found, needed

SQL = named_queries("services.notary", "tree.sql")
HIGHEST = 7
"""The highest level of a tree whose size PostgreSQL can count."""

Found = TypeVar("Found")


class TreeMoved(Exception):
    """Somebody else extended the tree meanwhile: nothing was changed; look at its size again."""


class TreeDamaged(Exception):
    """A tile of the tree is missing or cut, though its size says that it is there: it has to be built anew."""


class BeyondTree(ValueError):
    """More leaves were asked about than the tree has; the message says how many it has."""


class Tree:
    """The tree of whatever database a pool leads to; as the role intabaza_notary where it is extended.

    Every method raises LedgerUnavailable where the database is away. An extension that failed so may have been done:
    the size tells.
    """

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    async def size(self) -> int:
        """How many leaves it has."""
        try:
            return int(await self._pool.fetchval(SQL["size"]))
        except LOST as error:
            raise unavailable(error) from error

    async def extend(self, size: int, leaves: Sequence[bytes]) -> int:
        """Add the leaf hashes of the positions after `size`, and say how many it has then.

        Reads and writes the tiles at the edge, however large the tree is. Raises TreeMoved where it has another size,
        and TreeDamaged.
        """
        stands, tiles = await self._tiles(edge(size))
        if stands != size:
            raise TreeMoved(f"the tree has {stands} leaves by now, not {size}")
        try:
            added = extension(size, tiles, leaves)
        except TileAbsent as error:
            raise _damaged(stands, error) from error
        columns = ([one.level for one in added], [one.number for one in added], [one.hashes for one in added])
        try:
            await self._pool.execute(SQL["extend"], size, size + len(leaves), *columns)
        except asyncpg.ObjectNotInPrerequisiteStateError as error:
            raise TreeMoved(f"the tree has {size} leaves no more") from error
        except LOST as error:
            raise unavailable(error) from error
        return size + len(leaves)

    async def root(self, size: int) -> bytes:
        """The root over the first `size` leaves; raises BeyondTree."""
        return await self._find(size, partial(merkle.root, size))

    async def peaks(self, size: int) -> list[bytes]:
        """The roots of the whole subtrees that the first `size` leaves consist of; raises BeyondTree."""
        return await self._find(size, partial(merkle.peaks, size))

    async def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that the leaf at `index` is among the first `size`; raises BeyondTree, ValueError outside these."""
        return await self._find(size, partial(merkle.inclusion, index, size))

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the first `new` leaves begin with the first `old`; raises BeyondTree, ValueError for none."""
        return await self._find(new, partial(merkle.consistency, old, new))

    async def tile(self, level: int, index: int, width: int) -> bytes | None:
        """The first `width` hashes of a tile; None where the tree has not so many there."""
        if level > HIGHEST or index >> 63:
            return None
        try:
            found = await self._pool.fetchval(SQL["tile"], level, index, width)
        except LOST as error:
            raise unavailable(error) from error
        return bytes(found) if found is not None else None

    async def _find(self, size: int, find: Callable[[Whole], Found]) -> Found:
        """What is found in a tree of this size, in one question."""
        if not 0 <= size < 1 << 63:
            raise BeyondTree(f"no tree has {size} leaves")
        stands, tiles = await self._tiles(needed(find))
        if size > stands:
            raise BeyondTree(f"the tree has {stands} leaves, and {size} were asked about")
        try:
            return found(find, tiles)
        except TileAbsent as error:
            raise _damaged(stands, error) from error

    async def _tiles(self, places: Collection[Place]) -> tuple[int, dict[Place, bytes]]:
        """The size, and such of these tiles as are there."""
        levels, indexes = [one.level for one in places], [one.number for one in places]
        try:
            rows = await self._pool.fetch(SQL["tiles"], levels, indexes)
        except LOST as error:
            raise unavailable(error) from error
        return rows[0][0], {Place(row[1], row[2]): row[3] for row in rows if row[3] is not None}


def _damaged(size: int, error: TileAbsent) -> TreeDamaged:
    return TreeDamaged(f"of the tree of {size} leaves {error}: it has to be built anew")
