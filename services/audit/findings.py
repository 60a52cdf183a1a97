"""What the processes of a verification tell each other: files in a folder, since each may end at any moment."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, order=True)
class Bad:
    """A position that is not as it should be, and what is wrong with it; `unsent` where it may be on its way."""

    position: int
    what: str
    unsent: bool = False


@dataclass(slots=True)
class Found:
    """What one process found: the first bad position of each partition, checkpoints as (position, note), and counts;
    `signed` is the largest size that the ledger says was signed."""

    bad: list[Bad] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    foreign_records: int = 0
    repeats: int = 0
    records: int = 0
    last: int = 0
    signed: int = 0

    def write(self, path: Path) -> None:
        """Leave it for the process that started this one."""
        path.write_bytes(pickle.dumps(self))


def read_found(path: Path) -> Found:
    """What a process of ours left; nobody else can write into the folder."""
    found = pickle.loads(path.read_bytes())  # noqa: S301
    assert isinstance(found, Found)
    return found


class Progress:
    """How many records each process has read."""

    def __init__(self, path: Path, number: int) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._at = 8 * number

    def tell(self, done: int) -> None:
        os.pwrite(self._file, done.to_bytes(8, "little"), self._at)


def told(path: Path, numbers: Sequence[int]) -> int:
    """How many all of these processes have read."""
    content = path.read_bytes() if path.exists() else b""
    return sum(int.from_bytes(content[8 * one : 8 * one + 8], "little") for one in numbers)
