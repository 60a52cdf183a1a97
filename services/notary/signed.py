"""What the log has signed of itself, as its checkpoints are recorded: the newest one, and that of any size."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import orjson

from projections.sql import named_queries
from services.audit.offline.verify import USAGE, Checkpoint, read_checkpoints
from services.ledger.batcher import LOST, unavailable

SQL = named_queries("services.notary", "signed.sql")


class NothingSigned(Exception):
    """The log has no checkpoint yet."""

    def __init__(self) -> None:
        super().__init__("the log has no checkpoint yet: the notary signs the first one within a minute")


class NotSigned(ValueError):
    """No checkpoint is of this size; the message names those before and after it."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that the log recorded: its number among them, where it stands, and the note."""

    number: int
    position: int
    note: str

    @property
    def stated(self) -> Checkpoint:
        """What it states."""
        return read_checkpoints(self.note, f"The checkpoint at position {self.position}", USAGE)[0]

    @property
    def size(self) -> int:
        """How many leaves it covers."""
        return self.stated.size


class SignedSizes:
    """Reads the checkpoints of a ledger. Raises LedgerUnavailable where it is away."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    async def newest(self) -> Signed:
        """The last one; raises NothingSigned."""
        if (found := await self._one("newest")) is None:
            raise NothingSigned
        return found

    async def of(self, size: int) -> Signed:
        """The one of this size; raises NothingSigned, NotSigned."""
        last = await self.newest()
        if last.size == size:
            return last
        if last.size < size:
            raise NotSigned(f"no checkpoint is of size {size}: the last one is of size {last.size}")
        low, high = 0, last.number  # the one sought lies above the one, and is not above the other
        above, below = last, 0
        while high - low > 1:
            middle = (low + high) // 2
            one = await self._one("numbered", middle)
            if one is None:
                raise NothingSigned
            if one.size < size:
                low, below = middle, one.size
            else:
                high, above = middle, one
        if above.size != size:
            before = f"{below} and " if below else ""
            raise NotSigned(f"no checkpoint is of size {size}: those next to it are of size {before}{above.size}")
        return above

    async def _one(self, query: str, *arguments: object) -> Signed | None:
        try:
            row = await self._pool.fetchrow(SQL[query], *arguments)
        except LOST as error:
            raise unavailable(error) from error
        return Signed(row[0], row[1], str(orjson.loads(row[2])["data"]["note"])) if row else None
