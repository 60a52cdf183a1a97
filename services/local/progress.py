"""What a start tells the person who waits for it; the command line draws it, tests collect it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Somebody who is told what goes on."""

    def say(self, text: str) -> None:
        """One sentence about what happens now."""

    def advance(self, what: str, done: float, total: float | None = None) -> None:
        """How far one long step is; the same `what` again moves the same bar, `done == total` ends it."""


class Quiet:
    """Tells nobody."""

    def say(self, text: str) -> None:
        """Says nothing."""

    def advance(self, what: str, done: float, total: float | None = None) -> None:
        """Draws nothing."""
