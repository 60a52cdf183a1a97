"""What the log has signed of itself: the newest checkpoint, and that of any size, each with what witnesses cosigned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import asyncpg

from projections.sql import named_queries
from services.database.lost import LOST
from services.ledger.ledger import unavailable
from services.notary import checkpoint
from services.tlog.offline.verify import USAGE, Checkpoint, read_checkpoints

SQL = named_queries("services.notary", "signed.sql")


class NothingSigned(Exception):
    """The log has no checkpoint yet."""

    def __init__(self) -> None:
        super().__init__("the log has no checkpoint yet: the notary signs the first one within a minute")


class NotSigned(ValueError):
    """No checkpoint is of this size; the message names those before and after it."""


class NothingCosigned(ValueError):
    """A witness has cosigned no checkpoint of this log."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} has cosigned no checkpoint of this log")


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that the log recorded: its number among them, where it stands, the note, and what that states;
    behind the log's signatures there stand the cosignatures of witnesses, whose keys are named beside it."""

    number: int
    position: int
    note: str
    stated: Checkpoint
    witnesses: tuple[str, ...] = ()

    @classmethod
    def recorded(cls, number: int, position: int, body: bytes) -> Signed:
        """The one that an event of the ledger records; raises NoCheckpoint."""
        note = checkpoint.Checkpoint.recorded(body, position).note
        return cls(number, position, note, read_checkpoints(note, "", USAGE)[0])

    @property
    def size(self) -> int:
        """How many leaves it covers."""
        return self.stated.size


class SignedSizes:
    """Reads the checkpoints of a ledger.

    Raises LedgerUnavailable where it is away, NoCheckpoint where one that is read was altered.
    """

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    async def newest(self) -> Signed:
        """The last one; raises NothingSigned."""
        return await self._cosigned(await self._newest())

    async def of(self, size: int) -> Signed:
        """The one of this size; raises NothingSigned, NotSigned."""
        return await self._cosigned(await self._of(size))

    async def cosigned_by(self, name: str) -> Signed:
        """The last one that the witness of this name cosigned; raises NothingSigned, NothingCosigned."""
        await self._newest()
        [row] = await self._rows("cosigned_by", name)
        if row[0] is None:
            raise NothingCosigned(name)
        try:
            return await self.of(row[0])
        except NotSigned:  # of a ledger that was put back, and is shorter now
            raise NothingCosigned(name) from None

    async def _newest(self) -> Signed:
        if (found := await self._one("newest")) is None:
            raise NothingSigned
        return found

    async def _of(self, size: int) -> Signed:
        last = await self._newest()
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
        rows = await self._rows(query, *arguments)
        return Signed.recorded(*rows[0]) if rows else None

    async def _cosigned(self, signed: Signed) -> Signed:
        """The same with the cosignatures that were kept of it."""
        rows = await self._rows("cosignatures", signed.size)
        note = signed.note + "".join(row[1] for row in rows)
        return replace(signed, note=note, witnesses=tuple(row[0] for row in rows))

    async def _rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        try:
            return await self._pool.fetch(SQL[query], *arguments)
        except LOST as error:
            raise unavailable(error) from error
