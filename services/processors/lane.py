"""One partition: its batches folded in order, each committed while the next is folded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog

from events.envelope import NotAnEvent
from projections.part import Part, Poisoned, Unfoldable
from projections.projection import Page, Projection
from projections.taken import Taken, take
from services.processors.chain import Record, read_chain
from services.processors.errors import Halt, Unreadable
from services.processors.store import Live, Move, Parking, Store

MOST_KEYS = 20_000
"""States that a projection keeps in memory in one partition; the longest unused are let go once they are committed."""

WAIVED = "reference.event_waived"

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Counts:
    """What happened in one partition since the worker began."""

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
        at = next((i for i, event in enumerate(self.events) if event.position >= position), len(self.events))
        return Batch(self.events[:at], self.ends[:at]), Batch(self.events[at:], self.ends[at:])


class Lane:
    """Folds one partition for a set of projections. An error of `offer` means: make a new lane, seek, go on.

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
        self._store = store
        self._projections = projections
        self._topic_id = topic_id
        self._on_foreign = on_foreign
        self._last = 0
        self._committing: asyncio.Task[int] | None = None
        self._number = 0
        self._parking: dict[str, list[Parking]] = {}

    async def begin(self) -> None:
        """Read everything anew."""
        self.live = await self._store.begin(self._projections, self.partition, self._topic_id)
        self._last = min(live.last for live in self.live)
        self._parking = {}

    @property
    def last(self) -> int:
        """The last position that every projection has folded, maybe not yet committed."""
        return self._last

    @property
    def hint(self) -> tuple[UUID, int, int]:
        """Where the reading may go on: topic id, offset, and the position that stands before it."""
        lowest = min(self.live, key=lambda live: live.mark.last_position)
        return lowest.mark.topic_id, lowest.mark.next_offset, lowest.mark.last_position

    async def offer(self, records: Sequence[Record]) -> None:
        """Fold what continues the chain. Raises Again's or Postgres's errors, or Halt."""
        stretch = read_chain(self.partition, records, self._last)
        self.counts.repeats += stretch.repeats
        if stretch.foreign:
            self.counts.foreign += len(stretch.foreign)
            self._on_foreign(self.partition, stretch.foreign)
        if not stretch.links:
            return
        events = []
        for link in stretch.links:
            try:
                event = take(link.wire)
            except NotAnEvent as error:
                raise Unreadable(f"partition {self.partition}, offset {link.offset}: {error}") from error
            if event.position != link.position:
                raise Unreadable(
                    f"partition {self.partition}, offset {link.offset}: its header says position {link.position}, "
                    f"the event {event.position}"
                )
            events.append(event)
        await self._fold(Batch(events, [link.offset + 1 for link in stretch.links]))
        self.counts.events += len(events)

    async def settle(self) -> None:
        """Wait until what was folded is committed; raises what the commit raised."""
        if self._committing is not None:
            task, self._committing = self._committing, None
            self.counts.derived += await task
            self.counts.commits += 1
            self._let_go()

    async def _fold(self, batch: Batch) -> None:
        waiver = next((event for event in batch.events if event.type == WAIVED and event.position > self._last), None)
        if waiver is not None:
            before, rest = batch.cut(waiver.position + 1)
            await self._fold_plain(before)
            await self._waive(waiver)
            if rest.events:
                await self._fold(rest)
        elif batch.events:
            await self._fold_plain(batch)

    async def _fold_plain(self, batch: Batch) -> None:
        events, last = batch.events, batch.events[-1].position
        moves, self._number = [], self._number + 1
        for live in self.live:
            fresh = events if live.last < events[0].position else [one for one in events if one.position > live.last]
            if not fresh:
                continue
            wanted = live.part.wants(fresh)
            if wanted:
                live.part.hold(wanted, await self._store.load(live, wanted))
            try:
                page, changed = live.part.take(fresh)
            except Poisoned as poison:
                await self._park(live.projection.name, poison, batch)
                return
            except Unfoldable as error:
                raise Halt(f"{live.projection.name}, partition {self.partition}: {error}") from error
            for key in changed:
                live.touched.pop(key, None)
                live.touched[key] = self._number
            live.last = last
            moves.append(self._move(live, page, last, batch.ends[-1]))
        await self.settle()
        self._last = last
        if moves:
            self._committing = asyncio.create_task(self._store.commit(self.partition, self._topic_id, moves))

    def _move(self, live: Live, page: Page, to_position: int, next_offset: int, unparked: str | None = None) -> Move:
        part = live.part
        parking = self._parking.pop(live.projection.name, ())
        shared = live.projection.fold.save(part.shared) if part.shared_changed else None
        return Move(live, page, to_position, next_offset, part.next_due, shared, parking, unparked)

    def _let_go(self) -> None:
        for live in self.live:
            surplus = len(live.part.states) - MOST_KEYS
            if surplus > 0 and not live.projection.fold.whole:
                old = [key for key, number in live.touched.items() if number < self._number][:surplus]
                live.part.let_go(old)
                for key in old:
                    del live.touched[key]

    # --- parked keys ----------------------------------------------------------------------------------------------

    async def _park(self, name: str, poison: Poisoned, batch: Batch) -> None:
        """Fold the batch again with a key parked from the position on that it could not take."""
        await self.settle()
        parkings = self._parking
        await self.begin()
        self._parking = parkings
        before, rest = batch.cut(poison.position)
        if before.events:
            await self._fold_plain(before)
        live = next(one for one in self.live if one.projection.name == name)
        if poison.key not in live.part.parked:
            live.part.parked.add(poison.key)
            live.part.states.pop(poison.key, None)
            shared = live.projection.fold.save(live.part.shared)
            self._parking.setdefault(name, []).append(Parking(poison.key, poison.position, poison.why, shared))
            self.counts.parked += 1
            _log.error(
                "key parked", projection=name, partition=self.partition, key=poison.key, position=poison.position,
                why=poison.why,
            )  # fmt: skip
        await self._fold(rest)

    async def resume(self, place: str, key: str, waived: Sequence[int] = ()) -> bool:
        """Fold everything that waits behind a parked key, in one transaction; False where it still cannot take it."""
        await self.settle()
        live = next(one for one in self.live if one.mark.place == place)
        parked = await self._store.parked(live, self.partition)
        parking = next((one for one in parked if one.key == key), None)
        if parking is None:
            return True
        parking = replace(parking, waived=tuple(sorted({*parking.waived, *waived})))
        fold = live.projection.fold
        loaded = {} if fold.stateless else await self._store.load(live, [key])
        state = loaded[key] if key in loaded else fold.initial(key)
        due = None if fold.stateless else fold.due(state)
        part = Part(fold, parking.shared, {key: state}, [(due, key)] if due is not None else ())
        waiting = [
            event
            for event in await self._store.waiting(key, parking.position, live.last)
            if event.position not in parking.waived and (event.is_broadcast or fold.key(event) == key)
        ]
        try:
            page, _ = part.take(waiting)
        except Poisoned as poison:
            await self._store.repark(live, self.partition, replace(parking, why=poison.why))
            return False
        move = Move(live, page, live.mark.last_position, live.mark.next_offset, part.next_due, unparked=key)
        self.counts.derived += await self._store.commit(self.partition, self._topic_id, [move])
        live.part.take_back(key, part)
        _log.info("key resumed", projection=live.projection.name, partition=self.partition, key=key)
        return True

    async def _waive(self, event: Taken) -> None:
        """An event of the log says that a projection passes over a position: go on with the key that it parked."""
        await self.settle()
        position = event.data.get("position")
        for live in self.live:
            if live.projection.name == event.data.get("projection"):
                for parking in await self._store.parked(live, self.partition):
                    if position is not None and parking.position <= position:
                        await self.resume(live.mark.place, parking.key, [position])
