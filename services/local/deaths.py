"""What follows when a process has ended by itself: another start after a while, or none.

PostgreSQL and Kafka are what everybody needs: when one of them keeps dying the stack ends and says why. Without relay
or processors reports are still taken and nothing is lost, it only comes later on Kafka or in the projections: such a
one is left dead, which is said plainly, until a person has mended what it died of and asks for another try.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RESTART_DELAYS_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
FORGIVEN_AFTER_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class StartAgain:
    """It is started again after so many seconds."""

    delay_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It is left dead after so many deaths, and everything else goes on."""

    deaths: int


@dataclass(frozen=True, slots=True)
class EndTheStack:
    """Nothing can go on without it."""


class Deaths:
    """Counts the deaths of each process; those of more than ten minutes ago are forgiven."""

    def __init__(self, delays_seconds: Sequence[float] = RESTART_DELAYS_SECONDS) -> None:
        self._delays_seconds = delays_seconds
        self._at: dict[str, list[float]] = {}

    def died(self, name: str, now: float, *, everybody_needs_it: bool) -> StartAgain | GiveUp | EndTheStack:
        """Count one more death, at `now` in seconds of a clock that only goes forward."""
        recent = [at for at in self._at.get(name, []) if now - at < FORGIVEN_AFTER_SECONDS]
        self._at[name] = [*recent, now]
        if len(recent) < len(self._delays_seconds):
            return StartAgain(self._delays_seconds[len(recent)])
        return EndTheStack() if everybody_needs_it else GiveUp(len(recent) + 1)

    def forgive(self, name: str) -> None:
        """Count anew: somebody has mended what it died of."""
        self._at.pop(name, None)
