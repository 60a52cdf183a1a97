"""The level of a unit day by day: the highest of each day, kept as the days on which it turned."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Run(NamedTuple):
    """Days in a row with one level; both ends are ordinals and belong to it."""

    first: int
    last: int
    level: int

    @property
    def days(self) -> int:
        return self.last - self.first + 1


class Days:
    """What was said of one unit on one side; nine bytes for each day on which it turned."""

    __slots__ = ("_day", "_levels", "_now", "_starts", "_top")

    def __init__(self) -> None:
        self._starts = array("q")
        self._levels = bytearray()
        self._day: int | None = None
        self._top = self._now = 0

    def say(self, day: int, level: int, *, at_its_beginning: bool) -> None:
        """A level is said on a day, which is not before that of the one said last."""
        if day != self._day:
            self._keep()
            self._day, self._top = day, self._now
        self._top = level if at_its_beginning else max(self._top, level)
        self._now = level

    def _keep(self) -> None:
        """Write down the day that is over, and the level with which the next one began."""
        if self._day is None:
            return
        for start, level in ((self._day, self._top), (self._day + 1, self._now)):
            if self._starts and self._starts[-1] == start:
                self._levels[-1] = level
            else:
                self._starts.append(start)
                self._levels.append(level)

    def runs(self, first: int, last: int) -> Iterator[Run]:
        """The days from first to last, each in one run, neighbours with different levels."""
        self._keep()
        begins, level = first, 0
        for start, after in zip(self._starts, self._levels, strict=True):
            if after == level or start > last:
                continue
            if start > begins:
                yield Run(begins, start - 1, level)
            begins, level = max(start, begins), after
        yield Run(begins, last, level)


class Stretch(NamedTuple):
    """Days in a row on which both sides keep their level."""

    first: int
    last: int
    adopted: int
    other: int

    @property
    def days(self) -> int:
        return self.last - self.first + 1


def side_by_side(adopted: Iterable[Run], other: Iterable[Run]) -> Iterator[Stretch]:
    """Two accounts of the same days as one."""
    one, two = iter(adopted), iter(other)
    left, right = next(one, None), next(two, None)
    while left is not None and right is not None:
        last = min(left.last, right.last)
        yield Stretch(max(left.first, right.first), last, left.level, right.level)
        left = next(one, None) if left.last == last else left
        right = next(two, None) if right.last == last else right


def alerts(runs: Iterable[Run], warned_from: int) -> Iterator[Run]:
    """Unbroken runs of alert days, each with the highest level in it."""
    standing: Run | None = None
    for run in runs:
        if run.level < warned_from:
            if standing is not None:
                yield standing
            standing = None
        elif standing is None:
            standing = run
        else:
            standing = Run(standing.first, run.last, max(standing.level, run.level))
    if standing is not None:
        yield standing
