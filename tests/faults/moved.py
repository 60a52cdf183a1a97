"""A clock that all processes of a stack share and that a nemesis may set, as nobody may set the machine's.

A small library of ours is loaded into each of them (LD_PRELOAD) and moves what they are told of the time of day; so
PostgreSQL is moved as well, by whose clock the ledger goes. The product knows nothing of it.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.conftest import server_folder

SOURCE = Path(__file__).with_name("clock.c")
TWO_NUMBERS = struct.Struct("=qq")


@dataclass(slots=True)
class MovedClock:
    """By how much everybody's clock is ahead of the machine's, and by how much more PostgreSQL's is."""

    folder: Path
    ahead: timedelta = timedelta(0)
    postgres_ahead: timedelta = timedelta(0)

    @property
    def environment(self) -> dict[str, str]:
        """What a process is started with so that it goes by this clock."""
        return {"LD_PRELOAD": str(self.folder / "clock.so"), "MOVED_CLOCK": str(self._file)}

    @property
    def _file(self) -> Path:
        return self.folder / "moved"

    def move(self, ahead: timedelta, postgres_ahead: timedelta = timedelta(0)) -> None:
        """Everybody who runs is told so at their next look at the clock."""
        self.ahead, self.postgres_ahead = ahead, postgres_ahead
        seconds = (round(one.total_seconds()) for one in (ahead, postgres_ahead))
        with self._file.open("r+b" if self._file.exists() else "wb") as file:  # never cut short: others look at it
            file.write(TWO_NUMBERS.pack(*seconds))


@contextmanager
def a_moved_clock() -> Iterator[MovedClock]:
    """A clock that stands with the machine's, until it is moved."""
    compiler = shutil.which("cc")
    assert compiler is not None, "There is no C compiler `cc`, without which the clock of a stack cannot be moved here."
    folder = server_folder()
    try:
        library = folder / "clock.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE)], check=True)
        library.chmod(0o755)
        moved = MovedClock(folder)
        moved.move(timedelta(0))
        (folder / "moved").chmod(0o644)
        yield moved
    finally:
        shutil.rmtree(folder)
