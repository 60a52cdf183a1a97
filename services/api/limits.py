"""How often somebody may ask, and how many streams and packs they may hold: nobody takes what is there for all.

A bucket of requests for each person, a smaller one for who sends no valid token; some places for each who follows or
takes something away.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic

from services.api.problems import TOO_MANY, Refused

MOST_BUCKETS = 20_000
UNKNOWN_PER_SECOND = 5.0
MOST_STREAMS = 5_000


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


STREAMS = (
    "Your {each} places here are taken: one stream tells everything; end those that nobody reads.",
    "Too many listen here now: try again in a minute.",
)
PACKS = (
    "Another pack of yours is being made or sent: take one after the other.",
    "{most} packs are being made or sent here: try again in a minute.",
)


class Places:
    """What may be open at once in a process: so many of one person, and so many of all. 0 is no limit.

    `said` is what whoever finds their own places taken is told, and what whoever finds all of them taken.
    """

    def __init__(self, each: int, most: int = MOST_STREAMS, said: tuple[str, str] = STREAMS) -> None:
        self._each = each
        self._most = most
        self._own, self._all = (one.format(each=each, most=most) for one in said)
        self._held: Counter[Hashable] = Counter()

    def take(self, whose: Hashable) -> None:
        """Take one, to be given back; raises Refused."""
        if self._each and self._held[whose] >= self._each:
            raise Refused(TOO_MANY, self._own, headers={"Retry-After": "60"})
        if self._held.total() >= self._most:
            raise Refused(TOO_MANY, self._all, headers={"Retry-After": "60"})
        self._held[whose] += 1

    def give_back(self, whose: Hashable) -> None:
        """What was taken is free again."""
        self._held[whose] -= 1
        if not self._held[whose]:
            del self._held[whose]


class Limits:
    """Who may ask how often, follow how many streams, and take away how many packs at once."""

    def __init__(self, per_second: float, streams_each: int = 0, packs: int = 2) -> None:
        self.streams = Places(streams_each)
        self.packs = Places(1, packs, PACKS)
        self._known = Buckets(per_second)
        self._unknown = Buckets(UNKNOWN_PER_SECOND if per_second else 0, seconds=12)

    def known(self, person: Hashable) -> None:
        """Somebody whose token was verified; raises Refused."""
        self._known.take(person)

    def unknown(self, address: Hashable) -> None:
        """Somebody whose token was not taken, by where they come from; raises Refused."""
        self._unknown.take(address)
