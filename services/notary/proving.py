"""Proofs of what was signed, for whoever trusts a checkpoint and nobody else: nothing beyond the last one is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import asyncpg

from services.database.lost import ANSWER_SECONDS, LOST
from services.database.pools import as_it_was
from services.ledger.ledger import Ledger, unavailable
from services.notary.signed import NotSigned, Signed, SignedSizes
from services.notary.tree import BeyondTree, Tree, TreeDamaged
from services.tlog.merkle import HASH_BYTES, continues, includes
from services.tlog.tiles import WIDTH, Place, width_of

Answer = TypeVar("Answer")

LONGEST_ENTRY = 0xFFFF
"""Bytes of an entry that a bundle of C2SP tlog-tiles can hold."""


class BeyondSigned(ValueError):
    """No checkpoint covers this yet, or the log has nothing there; the message says how far the last one goes."""


class TreeBehind(Exception):
    """The tree, or the ledger, has fewer leaves than were signed: it is being built anew, as after a restore."""

    def __init__(self) -> None:
        super().__init__("the tree has fewer leaves than were signed: the notary builds it anew")


class NoBundle(ValueError):
    """An event of this bundle is longer than a bundle can hold; the message names its position."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a position is in the tree of a size; `signed` is the checkpoint of exactly this size, where there is one."""

    position: int
    size: int
    leaf: bytes
    root: bytes
    hashes: Sequence[bytes]
    signed: Signed | None


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the tree of one size begins with that of another."""

    old: int
    new: int
    old_root: bytes
    new_root: bytes
    hashes: Sequence[bytes]
    signed: Signed | None


class Proving:
    """The signed part of a log: tree, checkpoints and entries.

    Raises LedgerUnavailable where the database is away, NoCheckpoint where a checkpoint that is needed was altered.
    """

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], ledger: Ledger) -> None:
        self._pool = pool
        self.signed = SignedSizes(pool)
        self._tree = Tree(pool)
        self._ledger = ledger
        self._covered = 0

    @classmethod
    async def connect(cls, dsn: str, ledger: Ledger) -> Proving:
        """As any role that may read the ledger; raises LedgerUnavailable."""
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=0,
                max_size=4,
                command_timeout=ANSWER_SECONDS,
                server_settings={"application_name": "intabaza proofs"},
                reset=as_it_was,
            )
        except LOST as error:
            raise unavailable(error) from error
        return cls(pool, ledger)

    async def close(self) -> None:
        self._pool.terminate()

    async def inclusion(self, position: int, size: int | None = None) -> Inclusion:
        """The proof for a position, in the tree of the last checkpoint or of any size up to it.

        Raises NothingSigned, BeyondSigned, TreeBehind, TreeDamaged.
        """
        return await self._included(position, *await self._sized(size))

    async def inclusion_under(self, position: int, signed: Signed) -> Inclusion:
        """The proof for a position under a checkpoint that is known; raises BeyondSigned, TreeBehind, TreeDamaged."""
        return await self._included(position, signed.size, signed)

    async def _included(self, position: int, size: int, signed: Signed | None) -> Inclusion:
        if not 1 <= position <= size:
            raise BeyondSigned(f"position {position} is none of the {size} in this tree")
        index = position - 1
        hashes = await self._of_tree(self._tree.inclusion(index, size))
        tile = await self._tree.tile(0, index // WIDTH, index % WIDTH + 1)
        if tile is None:
            raise TreeBehind
        leaf, root = tile[-HASH_BYTES:], await self._root(size, signed)
        if not includes(leaf, index, size, hashes, root):
            raise TreeDamaged(f"the tree does not lead from position {position} to the root of {size} leaves")
        return Inclusion(position, size, leaf, root, hashes, signed)

    async def consistency(self, old: int, new: int | None = None) -> Consistency:
        """The proof that the tree of `new`, the last checkpoint's where it is left out, begins with that of `old`.

        Raises NothingSigned, BeyondSigned, TreeBehind, TreeDamaged.
        """
        new, signed = await self._sized(new)
        if not 1 <= old <= new:
            raise BeyondSigned(f"a tree of {old} leaves is no beginning of one of {new}: expected 1 to {new}")
        hashes = await self._of_tree(self._tree.consistency(old, new))
        old_root, new_root = await self._of_tree(self._tree.root(old)), await self._root(new, signed)
        if not continues(old, new, hashes, old_root, new_root):
            raise TreeDamaged(f"the tree does not lead from the root of {old} leaves to that of {new}")
        return Consistency(old, new, old_root, new_root, hashes, signed)

    async def root(self, size: int) -> bytes:
        """The root over the first leaves; raises TreeBehind."""
        return await self._of_tree(self._tree.root(size))

    async def tile(self, place: Place, width: int) -> bytes | None:
        """A tile, as far as it was signed; None where there is none of this width."""
        if width > await self._reach(place, width):
            return None
        tile = await self._tree.tile(*place, width)
        if tile is None:
            raise TreeBehind
        return tile

    async def entries(self, number: int, width: int) -> bytes | None:
        """A bundle of entries: each with its length in two bytes before it; None where there is none of this width.

        Raises NoBundle where one is too long for that.
        """
        place = Place(0, number)
        if width > await self._reach(place, width):
            return None
        after, end = number * WIDTH, number * WIDTH + width
        bundle = bytearray()
        while after < end:
            rows = await self._ledger.read(after, end - after)
            if not rows:
                raise TreeBehind
            for row in rows:
                wire = row.wire()
                if len(wire) > LONGEST_ENTRY:
                    raise NoBundle(
                        f"position {row.position} has {len(wire)} bytes, and an entry of a bundle at most "
                        f"{LONGEST_ENTRY}"
                    )
                bundle += len(wire).to_bytes(2) + wire
            after = rows[-1].position
        return bytes(bundle)

    async def entry(self, position: int) -> bytes:
        """The bytes that a position's leaf is the hash of; raises NothingSigned, BeyondSigned, TreeBehind."""
        await self._refuse_beyond(position, f"position {position}")
        rows = await self._ledger.read(position - 1, 1)
        if not rows or rows[0].position != position:
            raise TreeBehind
        return rows[0].wire()

    async def _sized(self, size: int | None) -> tuple[int, Signed | None]:
        """The size that is meant, and its checkpoint; raises NothingSigned, BeyondSigned."""
        if size is None:
            newest = await self.signed.newest()
            return newest.size, newest
        await self._refuse_beyond(size, f"size {size}")
        try:
            return size, await self.signed.of(size)
        except NotSigned:
            return size, None

    async def _refuse_beyond(self, size: int, what: str) -> None:
        if size > self._covered:
            self._covered = (await self.signed.newest()).size
        if not 1 <= size <= self._covered:
            covered = f"the last checkpoint covers 1 to {self._covered}"
            raise BeyondSigned(f"{what} lies outside of what was signed: {covered}")

    async def _reach(self, place: Place, width: int) -> int:
        """How many hashes of a tile were signed. What once was stays so, and is not looked up again."""
        if width > width_of(place, self._covered):
            self._covered = (await self.signed.newest()).size
        return width_of(place, self._covered)

    async def _root(self, size: int, signed: Signed | None) -> bytes:
        """The root that was signed, where one was: a tree that leads to another proves nothing."""
        return signed.stated.root if signed else await self._of_tree(self._tree.root(size))

    async def _of_tree(self, asked: Awaitable[Answer]) -> Answer:
        try:
            return await asked
        except BeyondTree as error:
            raise TreeBehind from error
