"""The ledger as PostgreSQL copies it out: for who reads all of it, at a third of what rows made of objects cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import TypeAlias

import asyncpg

from events.vocabulary import wire_time
from services.database.lost import ANSWER_SECONDS, CONNECT_SECONDS, LOST
from services.ledger.batcher import SETTINGS, SQL
from services.ledger.ledger import unavailable

POSITIONS = 10_000
"""So many are copied by one statement: a longer one would keep PostgreSQL from sweeping up behind it."""

Copied: TypeAlias = tuple[int, int, int, int, str, str, bytes]
"""Position, version, splice version, microseconds since 2000, stream, the columns that the body repeats, the body."""

_BEGINS = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_ENDS = b"\xff\xff"
_ROW = Struct("!hiqiqihiqi")
"""How many columns, then each with its length in front; the last is the stream's."""
_LENGTH = Struct("!i")
_SINCE = datetime(2000, 1, 1, tzinfo=UTC)


async def copy_out(dsn: str, to: int, take: Callable[[Iterator[Copied]], None]) -> None:
    """Give all rows up to a position, in order, as they come; a column that is null is an empty text or a zero.

    Raises LedgerUnavailable where the database is away, and whatever `take` raises.
    """
    try:
        # A statement may last, since whoever takes rows may be slow; what may not last is silence.
        settings = {**SETTINGS, "statement_timeout": "0"}
        connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, server_settings=settings)
        try:
            for after in range(0, to, POSITIONS):
                await _copy(connection, after, min(after + POSITIONS, to), take)
        finally:
            connection.terminate()
    except _NotTaken as error:
        raise error.why from None
    except LOST as error:
        raise unavailable(error) from error


class _NotTaken(Exception):
    """Whoever takes rows failed: a full disk of theirs is no database that is away."""

    def __init__(self, why: Exception) -> None:
        super().__init__(why)
        self.why = why


async def _copy(
    connection: asyncpg.Connection[asyncpg.Record], after: int, to: int, take: Callable[[Iterator[Copied]], None]
) -> None:
    rows = CopiedRows()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(ANSWER_SECONDS) as silence:

        async def sink(piece: bytes) -> None:
            found = rows.of(piece)
            try:
                take(found)
            except Exception as error:
                raise _NotTaken(error) from error
            silence.reschedule(loop.time() + ANSWER_SECONDS)

        await connection.copy_from_query(SQL["copied"], after, to, format="binary", output=sink)
    rows.end()


class CopiedRows:
    """One copy's rows, out of pieces of any length."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False

    def of(self, piece: bytes) -> Iterator[Copied]:
        """Those that end in the next piece; all of them are taken before the one after it."""
        buffer = self._rest + piece if self._rest else piece
        at, end = 0, len(buffer)
        if not self._begun and end >= len(_BEGINS):
            if buffer[: len(_BEGINS)] != _BEGINS:
                raise asyncpg.InterfaceError("PostgreSQL copies rows out in a form that is not known here")
            self._begun, at = True, len(_BEGINS)
        unpack, length_at, head = _ROW.unpack_from, _LENGTH.unpack_from, _ROW.size
        while at + head <= end:
            _, _, position, _, version, _, splice_version, _, recorded_at, length = unpack(buffer, at)
            told = at + head + length
            if told + 4 > end:
                break
            body = told + 4 + length_at(buffer, told)[0]
            if body + 4 > end:
                break
            over = body + 4 + length_at(buffer, body)[0]
            if over > end:
                break
            stream, repeated = buffer[told - length : told].decode(), buffer[told + 4 : body].decode()
            yield position, version, splice_version, recorded_at, stream, repeated, buffer[body + 4 : over]
            at = over
        self._rest = buffer[at:]

    def end(self) -> None:
        """Nothing may be left over."""
        if self._rest != _ENDS:
            raise asyncpg.InterfaceError("PostgreSQL ended a copy in the middle of a row")


class WireTimes:
    """Times as events spell them; most are of the same minute as the one before."""

    def __init__(self) -> None:
        self._minute, self._text = -1, b""

    def __call__(self, microseconds: int) -> bytes:
        """One that is so many microseconds after the year 2000 began; raises OverflowError beyond the calendar."""
        minute, rest = divmod(microseconds, 60_000_000)
        if minute != self._minute:
            self._text = wire_time(_SINCE + timedelta(minutes=minute))[:17].encode()
            self._minute = minute
        return b"%s%02d.%06dZ" % (self._text, *divmod(rest, 1_000_000))
