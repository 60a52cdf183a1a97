"""Who watches the units of a home, as a fold asks: what a sign touches, and the days on which units turn."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator

from projections.watching import Patience, Standing, Watch

RowOf = Callable[[str], str]


class Watched:
    """A home's watch, with the next day on which each of its units is watched otherwise without a new sign.

    What was loaded knows no gazetteer and no rules yet: `begin` comes before everything else.
    """

    __slots__ = ("_begun", "_heap", "_next", "watch")

    def __init__(self) -> None:
        self.watch = Watch()
        self._begun = False
        self._next: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def begin(self, row_of: RowOf, patience: Patience | None, due: str | None, due_day: int) -> None:
        """Go on from what was loaded: whatever was to turn before the home's due has turned."""
        if self._begun:
            return
        self._begun = True
        self.watch.place(row_of)
        if due is not None:
            for unit in self.watch.covered():
                self.look(patience, unit, due_day - 1)

    def covered(self) -> Iterable[str]:
        return self.watch.covered()

    def look(self, patience: Patience | None, unit: str, day: int) -> Standing:
        """How a unit stands on a day, and remember when it turns."""
        standing = self.watch.standing(unit, patience, day)
        if standing.next_day is None:
            self._next.pop(unit, None)
        elif self._next.get(unit) != standing.next_day:
            self._next[unit] = standing.next_day
            heapq.heappush(self._heap, (standing.next_day, unit))
        return standing

    def turning(self, day: int) -> Iterator[str]:
        """Units that turn on a day or should have before; each is to be looked at before the next is asked for."""
        while (turn := self.next_turn) is not None and turn <= day:
            yield self._heap[0][1]

    @property
    def next_turn(self) -> int | None:
        """The next day on which a unit turns."""
        while self._heap and self._next.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def drawn(self) -> list[tuple[str, str]]:
        return self.watch.drawn()
