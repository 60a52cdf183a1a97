"""Rows of a projection as Parquet, with the types that they have: what analysts' programs read without guessing.

The library pulls rows in its own thread while they are read here, so at most a group of them is in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import write_parquet

from events.vocabulary import wire_time
from services.moments import Moment

if TYPE_CHECKING:
    from services.processors.replay import Column

ROWS_AT_ONCE = 2_000
ROWS_OF_A_GROUP = 50_000
"""The writer holds a group in memory until it is whole; by default one has a million rows."""

_EPOCH, _FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC), date(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """How values of a database's type stand in the file: made as `made`, and kept as `kept`."""

    kept: DataType
    made: DataType
    plain: Callable[[Any], Any]


_TEXT = Kind(DataType.utf8(), DataType.utf8(), str)
_NUMBER = Kind(DataType.int64(), DataType.int64(), int)
_KINDS: Mapping[str, Kind] = {
    "int2": _NUMBER,
    "int4": _NUMBER,
    "int8": _NUMBER,
    "bool": Kind(DataType.bool(), DataType.bool(), bool),
    "date": Kind(DataType.date32(), DataType.int32(), lambda day: (day - _FIRST_DAY).days),
    "timestamptz": Kind(
        DataType.timestamp("us", tz="UTC"), DataType.int64(), lambda moment: (moment - _EPOCH) // _MICROSECOND
    ),
}
"""Whatever else there is (texts, ids) is text."""


class Parquet:
    """One projection: a column `as_of_position` before its own, the moment also in the file's metadata."""

    def __init__(self, out: IO[bytes], moment: Moment) -> None:
        self._out, self._moment = _Out(out), moment

    async def add(self, name: str, columns: Sequence[Column], rows: AsyncIterator[Sequence[Any]]) -> int:
        """Write all rows; returns how many. Raises OSError, and whatever reading them raises."""
        kinds = [_NUMBER, *(_KINDS.get(one.type, _TEXT) for one in columns)]
        names = ["as_of_position", *(one.name for one in columns)]
        schema = Schema([Field(one, kind.kept, nullable=True) for one, kind in zip(names, kinds, strict=True)])
        loop, count, failed, stopped = asyncio.get_running_loop(), 0, list[BaseException](), False

        async def some() -> list[Sequence[Any]]:
            found: list[Sequence[Any]] = []
            async for row in rows:
                found.append((self._moment.position, *row))
                if len(found) == ROWS_AT_ONCE:
                    break
            return found

        def batches() -> Iterator[RecordBatch]:
            nonlocal count
            while not stopped:
                try:
                    found = asyncio.run_coroutine_threadsafe(some(), loop).result()
                    if not found:
                        return
                    arrays = [
                        _array(kind, values) for kind, values in zip(kinds, zip(*found, strict=True), strict=True)
                    ]
                except BaseException as error:  # the library would tell it as a text of its own
                    failed.append(error)
                    return
                count += len(found)
                yield RecordBatch.from_arrays(arrays, schema=schema)

        at = wire_time(self._moment.recorded_at)
        said = {"projection": name, "as_of_position": str(self._moment.position), "as_of_recorded_at": at}
        writing = asyncio.ensure_future(
            asyncio.to_thread(
                write_parquet,
                RecordBatchReader.from_batches(schema, batches()),
                self._out,  # type: ignore[arg-type]  # it needs no more of a file than this
                compression="zstd(3)",
                max_row_group_size=ROWS_OF_A_GROUP,
                key_value_metadata=said,
            )
        )
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            stopped = True
            await asyncio.wait([writing])  # nobody writes into a file that is closed
            raise
        if errors := [*failed, *self._out.failed]:
            raise errors[0]
        return count


def _array(kind: Kind, values: Sequence[Any]) -> Array:
    made = Array([None if one is None else kind.plain(one) for one in values], kind.made)
    return made if kind.made == kind.kept else made.cast(kind.kept)


class _Out:
    """The file as the library sees it, which panics where one cannot be written: so that is kept, and raised after."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.failed: list[BaseException] = []

    def write(self, content: bytes) -> int:
        if not self.failed:
            try:
                self._out.write(content)
            except OSError as error:
                self.failed.append(error)
        return len(content)

    def flush(self) -> None:
        if not self.failed:
            try:
                self._out.flush()
            except OSError as error:
                self.failed.append(error)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._out.seek(offset, whence)

    def tell(self) -> int:
        return self._out.tell()
