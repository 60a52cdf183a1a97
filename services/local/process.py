"""Which process is which: a process id alone says nothing once its process has ended and the number is used again."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import psutil

Signature = tuple[str, ...]
"""Neighbouring arguments of a command line that name both the program and our folder."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process id with the moment its process began, which no other process shares."""

    pid: int
    began: str

    @classmethod
    def of(cls, pid: int) -> Identity:
        """The identity of a process that runs now; raises psutil.NoSuchProcess when there is none."""
        return cls(pid, _began(pid))

    @classmethod
    def read(cls, saved: dict[str, Any]) -> Identity:
        """The identity that `saved` was made from."""
        return cls(int(saved["pid"]), str(saved["began"]))

    def saved(self) -> dict[str, Any]:
        """What a state file holds of it."""
        return asdict(self)

    def runs(self) -> bool:
        """Whether this very process is still there."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return _began(self.pid) == self.began
        return False


def _began(pid: int) -> str:
    # Ticks since boot, not psutil's create_time(): that one is computed from the wall clock and moves when it is set.
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except FileNotFoundError:
        return repr(psutil.Process(pid).create_time())  # no /proc: not Linux, or no such process, which this says
    except ProcessLookupError as error:
        raise psutil.NoSuchProcess(pid) from error
    if after_name[0] == "Z":
        raise psutil.NoSuchProcess(pid)
    return f"{boot}/{after_name[19]}"


def open_log(log: Path) -> BinaryIO:
    """Open a log to append to, readable by our account only: what a server says can quote what it stores."""
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def processes_with(signature: Signature) -> Iterator[psutil.Process]:
    """Every process whose command line has these arguments side by side."""
    length = len(signature)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            arguments = process.cmdline()
            if any(tuple(arguments[at : at + length]) == signature for at in range(len(arguments) - length + 1)):
                yield process


def end_orphans(signature: Signature, gently: signal.Signals, deadline_seconds: float = 30.0) -> int:
    """End every process with this signature, first gently, then with SIGKILL; returns how many there were."""
    orphans: Sequence[psutil.Process] = list(processes_with(signature))
    for orphan in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            orphan.send_signal(gently)
    _, stubborn = psutil.wait_procs(orphans, timeout=deadline_seconds)
    for orphan in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            orphan.kill()
    psutil.wait_procs(stubborn, timeout=10)
    return len(orphans)
