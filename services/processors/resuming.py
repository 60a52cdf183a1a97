"""A parked key goes on: what waits behind it is folded in pieces, each a transaction of its own.

The key stays parked, at the position that it has come to, until the last piece: so a crash between two pieces costs
nothing, however long it waited, little is in memory at once, and the append lock is held for one piece at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import structlog

from projections.part import Part, Poisoned, Unfoldable
from projections.taken import Taken
from services.processors.errors import Halt, unwritable
from services.processors.store import Live, Move, Parking, Resumption, Store

PIECE_EVENTS = 500
"""Of the ledger in one transaction, at about 600 bytes each."""

_log = structlog.get_logger(__name__)


class Resuming:
    """One key of one projection in one partition, of which everything is committed. `derived` counts what was said."""

    def __init__(self, store: Store, live: Live, partition: int, topic_id: UUID) -> None:
        self.derived = 0
        self._store = store
        self._live = live
        self._partition = partition
        self._topic_id = topic_id

    async def run(self, key: str) -> bool:
        """Fold what waits up to the watermark; False where the key still cannot take all of it, or what follows from it
        can be written nowhere: a key that waited alone stops nobody by being asked to go on.

        Raises Superseded where somebody else has moved the watermark or the key meanwhile.
        """
        try:
            return await self._run(key)
        except Exception as error:
            never = error if isinstance(error, Halt | Unfoldable) else unwritable(error)
            if never is None:
                raise
            await self._stays_parked(key, str(never), because=str(never))
            return False

    async def _run(self, key: str) -> bool:
        live = self._live
        parking = await self._store.parked(live, key)
        if parking is None:
            return True
        part = await self._part_of(parking)
        waits = True
        while waits:
            piece = await self._store.waiting(key, parking.position, live.last, PIECE_EVENTS)
            waits = len(piece) == PIECE_EVENTS
            fold = live.projection.fold
            waiting = [event for event in piece if event.is_broadcast or fold.key(event) == key]
            try:
                page, _ = part.take(waiting)
            except Poisoned as poison:
                await self._stays(parking, poison, waiting)
                return False
            dues = [live.part.next_due]
            if waits:
                position = piece[-1].position + 1
                shared = orjson.dumps(fold.save(part.shared)).decode()
                onward = replace(parking, position=position, why=f"it goes on from position {position}", shared=shared)
            else:
                onward = None
                dues.append(part.next_due)
            move = Move(
                live,
                page,
                live.mark.last_position,
                live.mark.next_offset,
                min((due for due in dues if due), default=None),
                resumed=Resumption(key, parking.position, onward),
                passed=part.passed,
            )
            self.derived += await self._store.commit(self._partition, self._topic_id, [move])
            parking = onward or parking
        live.part.take_back(key, part)
        _log.info("key resumed", projection=live.projection.name, partition=self._partition, key=key)
        return True

    async def _stays(self, parking: Parking, poison: Poisoned, waiting: Sequence[Taken]) -> None:
        if not poison.exact:
            poison = await self._exactly(parking, waiting) or poison
        why = f"position {poison.position}: {poison.why}"
        await self._stays_parked(parking.key, why, position=poison.position)

    async def _stays_parked(self, key: str, why: str, **told: object) -> None:
        projection = self._live.projection.name
        await self._store.still_parked(self._live, key, why)
        _log.error("key stays parked", projection=projection, partition=self._partition, key=key, **told)

    async def _part_of(self, parking: Parking) -> Part[Any, Any]:
        """A part that knows one key alone, as its rows and the parking have it."""
        live, key, shared = self._live, parking.key, orjson.loads(parking.shared)
        fold = live.projection.fold
        if fold.stateless:
            return Part(fold, shared, waived=live.part.waived)
        loaded = (await self._store.load({live: [key]}))[live]
        state = loaded[key] if key in loaded else fold.initial(key)
        due = fold.due(state)
        dues = [(due, key)] if due is not None else []
        return Part(fold, shared, {key: state}, dues, waived=live.part.waived)

    async def _exactly(self, parking: Parking, waiting: Sequence[Taken]) -> Poisoned | None:
        part = await self._part_of(parking)
        for event in waiting:
            try:
                part.take([event])
            except Poisoned as poison:
                return poison
        return None
