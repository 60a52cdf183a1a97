"""Which position a moment is, asked of the topic alone, and where each partition's reading ends for it.

The log has every position, in order in each partition, and what is recorded later has a higher one: so a look at the
last record of each partition that is not beyond the moment answers for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from events.envelope import NotAnEvent
from events.vocabulary import wire_time
from projections.taken import Taken, take
from services.moments import Moment, Named, refuse_outside
from services.processors.chain import Record
from services.processors.errors import Unreadable
from services.processors.places import Places, link_of, position_of
from services.processors.refold import WHATEVER_COMES, Line

LOOK_BYTES = 128 * 1024
"""Of a partition at once where one record is looked at; a larger record comes whole all the same."""

LONGEST_REPEAT = 4_000
"""Records of one partition that a relay that was frozen may repeat: its largest batch."""


@dataclass(frozen=True, slots=True)
class Found:
    """A moment, and where the reading of each partition ends for it."""

    moment: Moment
    lines: Mapping[int, Line]


def find_moment(bootstrap: str, topic: str, named: Named) -> Found:
    """It blocks. Raises BeforeTheLog or BeyondTheLog, and Unreadable where a record of ours is no event."""
    with Places(bootstrap, topic, LOOK_BYTES) as places:
        looking = _Looking(places)
        first, last = looking.first(), looking.last(looking.ends)
        refuse_outside(named, first, last)
        ends = looking.ends_for(named)
        moment = looking.last(ends, named)
        assert moment is not None  # the first one is not beyond it
        return Found(moment, {partition: Line(offset, WHATEVER_COMES) for partition, offset in ends.items()})


def find_end(bootstrap: str, topic: str) -> Found | None:
    """The last moment of the log, in the same way; None where the log is empty."""
    with Places(bootstrap, topic, LOOK_BYTES) as places:
        looking = _Looking(places)
        moment = looking.last(looking.ends)
        if moment is None:
            return None
        return Found(moment, {partition: Line(offset, WHATEVER_COMES) for partition, offset in looking.ends.items()})


class _Looking:
    """Looks at single records of every partition."""

    def __init__(self, places: Places) -> None:
        self._places = places
        found = places.ends(range(places.partitions))
        self.ends = {one: places.search(one, end, lambda _: False) for one, end in found.items()}
        """After the last record of ours in each partition."""

    def first(self) -> Moment | None:
        """What stands first on the topic."""
        firsts = [self._moment(one, record) for one, end in self.ends.items() for record in self._ours(one, 0, end)]
        return min(firsts, key=lambda one: one.position, default=None)

    def last(self, ends: Mapping[int, int], named: Named | None = None) -> Moment | None:
        """The highest position that is not beyond a moment, where the last such record stands before these offsets."""
        found = [(one, record) for one, end in ends.items() if (record := self._last(one, end, named)) is not None]
        return max((self._moment(*one) for one in found), key=lambda one: one.position, default=None)

    def _last(self, partition: int, end: int, named: Named | None) -> Record | None:
        """It stands right before that offset, or what does is a repeat of something lower."""
        before, after = self._ours(partition, max(0, end - 1), end), self._ours(partition, end, self.ends[partition])
        if before and after and link_of(after[0]).previous == position_of(before[0]):
            return before[0]
        reached = self._places.ours(partition, max(0, end - LONGEST_REPEAT), end, LONGEST_REPEAT)
        beyond = self._beyond(partition, named)
        return max((record for record in reached if not beyond(record)), key=position_of, default=None)

    def ends_for(self, named: Named) -> dict[int, int]:
        """After the last record in each partition that is not beyond a moment."""
        return {one: self._places.search(one, end, self._beyond(one, named)) for one, end in self.ends.items()}

    def _beyond(self, partition: int, named: Named | None) -> Callable[[Record], bool]:
        if named is None:
            return lambda _: False
        if isinstance(named, int):
            return lambda record: position_of(record) > named
        until = wire_time(named)
        return lambda record: self._event(partition, record).time > until

    def _ours(self, partition: int, offset: int, end: int) -> Sequence[Record]:
        return self._places.ours(partition, offset, end)

    def _moment(self, partition: int, record: Record) -> Moment:
        event = self._event(partition, record)
        return Moment(event.position, datetime.fromisoformat(event.time))

    def _event(self, partition: int, record: Record) -> Taken:
        try:
            return take(record.value or b"")
        except NotAnEvent as error:
            raise Unreadable(f"partition {partition}, offset {record.offset}: {error}") from error
