"""Fetched bytes as batches of records, also where a header's name is no text.

A broker takes any bytes as the name of a header, and keeps them. aiokafka's reader and kafka-python's want UTF-8 and go
no further, so one record of a stranger would stop whoever reads that partition, for ever. Here such a name is told with
the bytes that are no text written out, so that the record is a foreign one like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH = slice(8, 12)
_HEAD = 12


class Batch:
    """A batch of aiokafka's compiled reader: what it says of itself, and all of its records in order.

    Raises aiokafka's CorruptRecordException where it cannot be taken apart.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._compiled: Any = MemoryRecords(content).next_batch()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)

    def __iter__(self) -> Iterator[Any]:
        told = 0
        try:
            for record in self._compiled:
                yield record
                told += 1
        except (UnicodeDecodeError, CorruptRecordException):
            yield from islice(_spelt_out(self._content), told, None)


class Batches:
    """What a broker sent of a partition, as aiokafka asks for it: batch by batch; the last one may be cut short."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def size_in_bytes(self) -> int:
        """How many bytes were sent."""
        return len(self._content)

    def has_next(self) -> bool:
        """Whether a whole batch follows."""
        return self._end() is not None

    def next_batch(self) -> Batch | None:
        """The next whole batch."""
        if (end := self._end()) is None:
            return None
        batch, self._at = Batch(self._content[self._at : end]), end
        return batch

    def _end(self) -> int | None:
        front = self._content[self._at : self._at + _HEAD]
        end = self._at + _HEAD + int.from_bytes(front[_LENGTH])
        return end if len(front) == _HEAD and end <= len(self._content) else None


class _Names(bytearray):
    """The bytes of a batch, in which every part can be read as text."""

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        return _Names(part) if isinstance(at, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, "backslashreplace")


def _spelt_out(content: bytes) -> Iterator[Any]:
    """The records of a batch by aiokafka's reader in Python, which takes each name from the bytes that it is given."""
    batch: Any = _DefaultRecordBatchPy(content)
    batch._maybe_uncompress()
    batch._buffer = _Names(batch._buffer)
    return iter(batch)
