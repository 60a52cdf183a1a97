"""How far what an answer was read from has come: links of reports, levels, messages.

The ledger is read up to its head. Which reports belong to which cases, and what became of levels, is said there by
processors, which come after it; who was told, by the notifier after them. What has not come so far is not in the
answer, so an answer is complete only where nothing of its homes waits to be taken in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from events.vocabulary import EVERY_HOME
from services.log.partition import partition_of

LINKS, LEVELS = "case_timeline", "alert_level"


@dataclass(frozen=True, slots=True)
class Source:
    """Up to which position one source speaks, and why it may lack something."""

    up_to: int
    because: Sequence[str] = ()

    @property
    def complete(self) -> bool:
        return not self.because


@dataclass(frozen=True, slots=True)
class Sources:
    """What an answer was read from beside the events of the ledger themselves."""

    links: Source
    levels: Source
    messages: Source

    @property
    def complete(self) -> bool:
        return self.links.complete and self.levels.complete and self.messages.complete


@dataclass(frozen=True, slots=True)
class Parked:
    """A key that a projection could not take an event of, where it lives, and that event's position."""

    place: str
    home: str
    position: int


@dataclass(frozen=True, slots=True)
class Marks:
    """How far everybody is: projections and the relay in each partition, and the relay in all of them."""

    partitions: int
    head: int
    acknowledged: int = 0
    sent: Mapping[int, int] = field(default_factory=dict)
    folded: Mapping[tuple[str, int], int] = field(default_factory=dict)
    parked: Sequence[Parked] = ()

    def up_to(self, place: str, homes: Collection[str]) -> int:
        """Up to which position a projection has taken in all that was recorded of these homes.

        In a partition where nothing came for long, its last position is an old one: where it has all that was sent
        there, it stands where the relay does.
        """
        where = range(self.partitions) if EVERY_HOME in homes else {partition_of(one, self.partitions) for one in homes}
        return min((min(self._up_to(place, partition), self.head) for partition in where), default=self.head)

    def _up_to(self, place: str, partition: int) -> int:
        taken = self.folded.get((place, partition), 0)
        return max(taken, self.acknowledged) if taken >= self.sent.get(partition, 0) else taken

    def parked_of(self, place: str, homes: Collection[str]) -> int | None:
        """The first position that a projection could not take of these homes, if it is parked for one of them."""
        of_them = [
            one.position
            for one in self.parked
            if one.place == place and (one.home in homes or EVERY_HOME in (one.home, *homes))
        ]
        return min(of_them, default=None)


def of_projection(marks: Marks, place: str, homes: Collection[str], waits: int | None) -> Source:
    """How far a projection speaks of these homes; `waits` is the first position that it has not taken in of them."""
    up_to, because = marks.up_to(place, homes), []
    if waits is not None:
        because.append(f"Position {waits} is not taken in yet: ask again in a moment.")
    if (parked := marks.parked_of(place, homes)) is not None:
        because.append(f"What came from position {parked} on is parked: see `intabaza parked list`, then ask again.")
        up_to = min(up_to, parked - 1)
    return Source(up_to, because)


def of_messages(marks: Marks, waiting: int, since: int | None) -> Source:
    """How far messages speak of the alerts of an answer: so many subscribers are not through with them, the one that
    is furthest behind since a position."""
    if not waiting or since is None:
        return Source(marks.head)
    return Source(since, [f"{waiting} subscribers may still be told: ask again, or see `intabaza subscriber list`."])
