"""When to try again: longer each time, never all at one moment, and as a receiver asks within a bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds before the second try, and at most between two."""

    first: float
    longest: float

    def tries_in(self, seconds: float) -> int:
        """How many failures in a row there are in so long a time, where each wait is a whole one."""
        tries, waited, wait = 0, 0.0, self.first
        while wait < self.longest and waited < seconds:
            tries, waited, wait = tries + 1, waited + wait, wait * 2.0
        return tries + max(math.ceil((seconds - waited) / self.longest), 0)

    def delay(self, failures: int, chance: float, asked: float | None = None) -> float:
        """Seconds until the next try after so many failures: the double each time, between a half of it and all by
        `chance` (0 to 1); `asked` is what the receiver asked for, which counts where it is longer."""
        doubled = min(self.first * 2.0 ** min(failures - 1, 60), self.longest)
        return max(doubled * (0.5 + chance / 2), min(asked or 0.0, self.longest))


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or a date; None where it says nothing that can be read."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
        return max((until - now).total_seconds(), 0.0) if until.tzinfo else None
    except (ValueError, OverflowError):  # a year of twenty digits is no date
        return None
