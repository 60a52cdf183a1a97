"""How often somebody may ask: a bucket of requests for each person, a smaller one for who sends no valid token."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic

from services.api.problems import TOO_MANY, Refused

MOST_BUCKETS = 20_000
UNKNOWN_PER_SECOND = 5.0


class Buckets:
    """Each fills at a rate and holds that of some seconds; kept in memory, so each process counts for itself."""

    def __init__(self, per_second: float, seconds: float = 4.0, now: Callable[[], float] = monotonic) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second * seconds)
        self._now = now
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, whose: Hashable) -> None:
        """Take one; raises Refused with when to come again. A rate of 0 is no limit."""
        if not self._per_second:
            return
        now = self._now()
        left, at = self._buckets.get(whose, (self._most, now))
        left = min(self._most, left + (now - at) * self._per_second)
        if left < 1:
            seconds = max(1, round((1 - left) / self._per_second))
            raise Refused(
                TOO_MANY,
                f"More than {self._per_second:g} requests a second: this one did nothing; come again in {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )
        self._buckets[whose] = left - 1, now
        self._buckets.move_to_end(whose)
        while len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)


class Limits:
    """Who may ask how often."""

    def __init__(self, per_second: float) -> None:
        self._known = Buckets(per_second)
        self._unknown = Buckets(UNKNOWN_PER_SECOND if per_second else 0, seconds=12)

    def known(self, person: Hashable) -> None:
        """Somebody whose token was verified; raises Refused."""
        self._known.take(person)

    def unknown(self, address: Hashable) -> None:
        """Somebody whose token was not taken, by where they come from; raises Refused."""
        self._unknown.take(address)
