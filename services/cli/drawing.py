"""Progress on a terminal: bars that move; where there is no terminal, plain lines, one for each step's beginning."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from services.local.process import open_log

STDERR = 2


class _Pipe(Console):
    """A console that says as an error that nobody reads it any more; rich would end the process."""

    def on_broken_pipe(self) -> None:
        raise


class Drawn:
    """Draws on stderr, so that what a command answers stays alone on stdout.

    What is said goes to `log` too, unless stderr is that very file. Where nobody reads it any more, a pipe whose other
    end is gone or a terminal that was closed, it is silent: whatever is going on has to come to its own end.
    """

    def __init__(self, log: Path | None = None) -> None:
        self._console = _Pipe(stderr=True, highlight=False, soft_wrap=True)
        self._tasks: dict[str, TaskID] = {}
        self._begun: set[str] = set()
        self._log = log if log is not None and not _is_stderr(log) else None
        self._bars = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=self._console
        )

    def __enter__(self) -> Drawn:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            with self._while_somebody_reads():
                self._bars.stop()

    @contextmanager
    def _while_somebody_reads(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self._console.quiet = True

    def say(self, text: str) -> None:
        """One line above the bars."""
        self.note(text)
        with self._while_somebody_reads():
            self._console.print(text, markup=False)

    def note(self, text: str) -> None:
        """To the log alone."""
        if self._log is not None:
            with open_log(self._log) as file:
                file.write(f"{text}\n".encode())

    def advance(self, what: str, done: float, total: float | None = None) -> None:
        """Move the bar of `what`; without a `total` it only shows that something goes on and for how long."""
        if not self._console.is_terminal:
            if what not in self._begun:
                self.say(f"{what[0].upper()}{what[1:]}.")
            self._begun.add(what)
        else:
            with self._while_somebody_reads():
                self._draw(what, done, total)
        if total is not None and done >= total:
            self._begun.discard(what)

    def _draw(self, what: str, done: float, total: float | None) -> None:
        if total is not None and done >= total:
            if what in self._tasks:
                self._bars.remove_task(self._tasks.pop(what))
        else:
            if what not in self._tasks:
                self._tasks[what] = self._bars.add_task(what, total=total)
            self._bars.update(self._tasks[what], completed=done)


def _is_stderr(log: Path) -> bool:
    return log.exists() and os.path.samestat(log.stat(), os.fstat(STDERR))
