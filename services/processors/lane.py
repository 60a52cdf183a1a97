"""One partition: its batches folded in order, each committed while the next is folded."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

import orjson
import structlog

from events.envelope import NotAnEvent
from events.reference import EventWaived
from projections.part import Poisoned, Unfoldable
from projections.projection import Page, Projection
from projections.taken import Taken, take
from services.processors.chain import Following, Record, read_chain
from services.processors.errors import Superseded, Unreadable
from services.processors.resuming import Resuming
from services.processors.store import Live, Move, Parking, Store

MOST_KEYS = 250
"""States that a projection keeps in memory in one partition; the longest unused are let go once they are committed.

Enough for what is alive, 3,000 in twelve partitions; what has ended is not asked for again, and the log grows for ever.
"""

WAIVED = EventWaived.name

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Counts:
    """What happened in one partition since it was begun."""

    events: int = 0
    repeats: int = 0
    foreign: int = 0
    parked: int = 0
    derived: int = 0
    commits: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Decoded events with the offset after each."""

    events: Sequence[Taken]
    ends: Sequence[int]

    def cut(self, position: int) -> tuple[Batch, Batch]:
        """What stands before a position, and the rest."""
        at = bisect_left(self.events, position, key=lambda event: event.position)
        return Batch(self.events[:at], self.ends[:at]), Batch(self.events[at:], self.ends[at:])

    def cut_before(self, wanted: Callable[[Taken], bool]) -> list[Batch]:
        """Pieces that each begin with a wanted event, beside the first."""
        starts = [at for at, event in enumerate(self.events) if at and wanted(event)]
        bounds = [0, *starts, len(self.events)]
        return [Batch(self.events[a:b], self.ends[a:b]) for a, b in pairwise(bounds)]


class Lane:
    """Folds one partition for a set of projections. An error of `offer` or `settle` means: it is of no use any more.

    `on_foreign` is told the offsets of records that are none of ours.
    """

    def __init__(
        self,
        store: Store,
        projections: Sequence[Projection[Any, Any]],
        partition: int,
        topic_id: UUID,
        on_foreign: Callable[[int, Sequence[int]], None] = lambda partition, offsets: None,
    ) -> None:
        self.partition = partition
        self.counts = Counts()
        self.live: list[Live] = []
        self.next_offset = 0
        self._store = store
        self._projections = projections
        self._topic_id = topic_id
        self._on_foreign = on_foreign
        self._last = 0
        self._asked_again: int | None = None
        self._committing: asyncio.Task[int] | None = None
        self._number = 0
        self._parking: dict[str, dict[str, Parking]] = {}

    async def begin(self) -> None:
        """Read everything anew."""
        self.live = await self._store.begin(self._projections, self.partition, self._topic_id)
        self._last = min(live.last for live in self.live)

    @property
    def last(self) -> int:
        """The last position that every projection has folded, maybe not yet committed."""
        return self._last

    @property
    def hint(self) -> tuple[UUID, int, int]:
        """Where the reading may go on: topic id, offset, and the position that stands before it."""
        lowest = min(self.live, key=lambda live: live.mark.last_position)
        return lowest.mark.topic_id, lowest.mark.next_offset, lowest.mark.last_position

    def committed_to(self, live: Live) -> int:
        """The offset before which a projection has nothing left to commit: repeats and foreign records are nothing."""
        mark = live.mark
        if mark.last_position < live.last:
            return min(mark.next_offset, self.next_offset)
        ahead = mark.topic_id == self._topic_id and mark.last_position > self._last
        return max(mark.next_offset, self.next_offset) if ahead else self.next_offset

    def missed(self, records: Sequence[Record]) -> int | None:
        """From where to read again, where these records do not follow the last ones.

        Records that were fetched before a rebalance are such. What still does not follow when it is read again does so
        in the log itself, where a transaction's marker has an offset and is no record.
        """
        if records[0].offset <= self.next_offset or self._asked_again == self.next_offset:
            return None
        self._asked_again = self.next_offset
        return self.next_offset

    async def offer(self, records: Sequence[Record]) -> None:
        """Fold what continues the chain. Raises Again's or Postgres's errors, or Halt."""
        stretch = read_chain(self.partition, records, self._last)
        self.counts.repeats += stretch.repeats
        if stretch.foreign:
            self.counts.foreign += len(stretch.foreign)
            self._on_foreign(self.partition, stretch.foreign)
        if stretch.following:
            events = [decode(self.partition, one) for one in stretch.following]
            await self._fold(Batch(events, [one.offset + 1 for one in stretch.following]))
            self.counts.events += len(events)
        self.next_offset = records[-1].offset + 1

    async def settle(self) -> None:
        """Wait until what was folded is committed; raises what the commit raised. Being cancelled does not stop it."""
        if (task := self._committing) is None:
            return
        try:
            self.counts.derived += await asyncio.shield(task)
        finally:
            if task.done():
                self._committing = None
        self.counts.commits += 1
        self._let_go()

    async def _fold(self, batch: Batch) -> None:
        todo = deque([batch])
        while todo:
            piece = todo.popleft()
            waiver = next((event for event in piece.events[:-1] if event.type == WAIVED), None)
            if waiver is not None:  # what waits for it goes on before anything else
                todo.extendleft(reversed(piece.cut(waiver.position + 1)))
                continue
            folded = await self._take(piece)
            if isinstance(folded, _Poison):
                todo.extendleft(reversed(await self._without(folded, piece)))
                continue
            await self.settle()
            self._last = piece.events[-1].position
            self._parking = {}  # the moves have it
            if folded:
                self._committing = asyncio.create_task(self._store.commit(self.partition, self._topic_id, folded))
            if piece.events[-1].type == WAIVED:
                await self._go_on_after(piece.events[-1])

    async def _take(self, piece: Batch) -> list[Move] | _Poison:
        """Fold a piece in memory."""
        events, last = piece.events, piece.events[-1].position
        moves, self._number = [], self._number + 1
        shares = [(live, share) for live in self.live if (share := _share(live, events))]
        wants = {live: live.part.wants(share) for live, share in shares}
        for live, loaded in (await self._store.load({live: keys for live, keys in wants.items() if keys})).items():
            live.part.hold(wants[live], loaded)
        for live, fresh in shares:
            try:
                page, changed = live.part.take(fresh)
            except Poisoned as poison:
                return _Poison(live.projection.name, poison)
            except Unfoldable as error:
                raise Unreadable(f"{live.projection.name}, partition {self.partition}: {error}") from error
            for key in (*wants[live], *changed):
                live.touched.pop(key, None)
                live.touched[key] = self._number
            live.last = last
            moves.append(self._move(live, page, piece))
        return moves

    def _move(self, live: Live, page: Page, piece: Batch) -> Move:
        name, part, last = live.projection.name, live.part, piece.events[-1]
        waived = _waived(last, name)
        return Move(
            live,
            page,
            last.position,
            piece.ends[-1],
            part.next_due,
            shared=_saved(live) if part.shared_changed else None,
            parking=tuple(self._parking.get(name, {}).values()),
            waived=waived,
            asked=waived is not None and waived[0] in part.parked,
            passed=part.passed,
        )

    def _let_go(self) -> None:
        for live in self.live:
            surplus = len(live.part.states) - MOST_KEYS
            if surplus > 0 and not live.projection.fold.whole:
                old = [key for key, number in live.touched.items() if number < self._number][:surplus]
                live.part.let_go(old)
                for key in old:
                    del live.touched[key]

    # --- parked keys ----------------------------------------------------------------------------------------------

    async def _without(self, poison: _Poison, piece: Batch) -> list[Batch]:
        """What to fold instead of a piece that holds poison: what stands before it, then the rest without its key.

        The parts have folded some of the piece already, so they are read anew.
        """
        await self.settle()
        await self._begin_again()
        what = poison.what
        before, rest = piece.cut(what.position)
        if before.events:
            return [before, rest]
        live = next(one for one in self.live if one.projection.name == poison.projection)
        if not what.exact:
            fold = live.projection.fold
            pieces = piece.cut_before(lambda event: event.is_broadcast or fold.key(event) == what.key)
            if len(pieces) > 1:
                return pieces
        self._park(live, what)
        return [piece]

    async def _begin_again(self) -> None:
        """Read everything anew in the middle of a batch: only where nobody has moved a watermark meanwhile."""
        marks = [live.mark for live in self.live]
        await self.begin()
        for before, live in zip(marks, self.live, strict=True):
            if (before.generation, before.last_position) != (live.mark.generation, live.mark.last_position):
                raise Superseded(f"partition {self.partition}: a watermark was moved by somebody else")
            for key in self._parking.get(live.projection.name, ()):
                live.part.set_aside(key)

    def _park(self, live: Live, what: Poisoned) -> None:
        name = live.projection.name
        live.part.set_aside(what.key)
        parking = Parking(what.key, what.position, f"position {what.position}: {what.why}", _saved(live))
        self._parking.setdefault(name, {})[what.key] = parking
        self.counts.parked += 1
        _log.error("key parked", projection=name, partition=self.partition, key=what.key, position=what.position)

    async def _go_on_after(self, waiver: Taken) -> None:
        """An event of the log says that a key of a projection passes over a position, if it waits there or before."""
        for live in self.live:
            waived = _waived(waiver, live.projection.name)
            if waived is None or waived[0] not in live.part.parked:
                continue
            await self.settle()
            parking = await self._store.parked(live, waived[0])
            if parking is not None and parking.position <= waived[1]:
                live.part.waived.add(waived)
            await self.resume(live.mark.place, waived[0])

    async def resume(self, place: str, key: str) -> bool:
        """Fold everything that waits behind a parked key; False where it still cannot take it."""
        await self.settle()
        live = next(one for one in self.live if one.mark.place == place)
        resuming = Resuming(self._store, live, self.partition, self._topic_id)
        try:
            resumed = await resuming.run(key)
        finally:
            self.counts.derived += resuming.derived
        if key in live.part.states:
            live.touched[key] = self._number
        return resumed


def decode(partition: int, one: Following) -> Taken:
    """A record that continues its partition's chain, as a fold takes it; raises Unreadable."""
    try:
        event = take(one.wire)
    except NotAnEvent as error:
        raise Unreadable(f"partition {partition}, offset {one.offset}: {error}") from error
    if event.position != one.position:
        raise Unreadable(
            f"partition {partition}, offset {one.offset}: its header says position {one.position}, "
            f"the event {event.position}"
        )
    return event


def _share(live: Live, events: Sequence[Taken]) -> Sequence[Taken]:
    """Those that a projection has not folded yet."""
    return events if live.last < events[0].position else [one for one in events if one.position > live.last]


def _waived(event: Taken, projection: str) -> tuple[str, int] | None:
    """The key and position that an event waives for a projection; what had not happened yet cannot be waived."""
    if event.type != WAIVED or event.data.get("projection") != projection:
        return None
    key, position = event.data["key"], event.data["position"]
    return (key, position) if position < event.position else None


def _saved(live: Live) -> str:
    return orjson.dumps(live.projection.fold.save(live.part.shared)).decode()


@dataclass(frozen=True, slots=True)
class _Poison:
    """Which projection could not fold what."""

    projection: str
    what: Poisoned
