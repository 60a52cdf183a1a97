"""What was found at each position, in a file of slots: partitions are read in any order, and memory stays flat."""

from __future__ import annotations

import mmap
import os
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import NamedTuple, Self

WINDOW = 1 << 16
"""Slots that are mapped at a time: 4 MiB."""
WINDOWS = 6

EVERYWHERE, ALERT = 1, 2

_SLOT = Struct("<32s27sBHH")


class Slot(NamedTuple):
    """A leaf and its time; how many partitions of the events, and of the alerts, hold it."""

    leaf: bytes
    time: bytes
    flags: int
    copies: int
    alerts: int


NOTHING = Slot(bytes(32), bytes(27), 0, 0, 0)


class Slots:
    """A file of slots by position, written by one process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._size = os.fstat(self._file).st_size
        self._windows: OrderedDict[int, mmap.mmap] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for window in self._windows.values():
            window.close()
        os.close(self._file)

    def __getitem__(self, position: int) -> Slot:
        number, index = divmod(position - 1, WINDOW)
        return Slot._make(_SLOT.unpack_from(self._windows.get(number) or self._map(number), index * _SLOT.size))

    def __setitem__(self, position: int, slot: tuple[bytes, bytes, int, int, int]) -> None:
        number, index = divmod(position - 1, WINDOW)
        _SLOT.pack_into(self._windows.get(number) or self._map(number), index * _SLOT.size, *slot)

    def _map(self, number: int) -> mmap.mmap:
        begin = number * WINDOW * _SLOT.size
        end = begin + WINDOW * _SLOT.size
        if end > self._size:
            os.ftruncate(self._file, end)
            self._size = end
        if len(self._windows) == WINDOWS:
            self._windows.popitem(last=False)[1].close()
        window = self._windows[number] = mmap.mmap(self._file, end - begin, offset=begin)
        return window


def read_slots(path: Path, first: int, count: int) -> Iterator[tuple[bytes, bytes, int, int, int]]:
    """So many slots from a position on; empty ones beyond the file's end."""
    with path.open("rb") as file:
        file.seek((first - 1) * _SLOT.size)
        content = file.read(count * _SLOT.size)
    return _SLOT.iter_unpack(content.ljust(count * _SLOT.size, b"\0"))
