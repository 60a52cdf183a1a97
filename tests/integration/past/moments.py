"""A history in memory as Kafka would hold it: folded live event by event, and stood as of any moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from zlib import crc32

import asyncpg
import orjson

from events.catalogue import EVENTS
from events.envelope import SCHEMA_PREFIX
from projections.projection import Projection
from projections.rows import read_lines
from projections.taken import Taken, take
from services.log.record import Link
from services.past.standing import Fold, Standing
from services.processors.lane import Lane
from services.processors.making import make_places
from services.processors.refold import up_to
from services.processors.store import BeingCopied, Store
from tests.support.lanes import TOPIC, Record

S = TypeVar("S")


def wire_of(event: Taken) -> bytes:
    """The record of an event, with all that a fold takes of it."""
    wire = orjson.dumps(
        {
            "sequence": f"{event.position:019d}", "time": event.time, "subject": event.stream,
            "streamversion": event.version, "type": event.type, "partitionkey": event.home, "mode": event.mode,
            "actorrole": event.role, "actorref": event.actor, "data": event.data,
            "dataschema": f"{SCHEMA_PREFIX}{event.type}:{EVENTS[event.type].schema_version}",
        }
    )  # fmt: skip
    assert take(wire) == event
    return wire


class Kept:
    """One history in some partitions, and a database that folds it."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], history: Sequence[Taken], partitions: int = 2) -> None:
        self.pool = pool
        self.history = history
        self.folded: list[tuple[int, int]] = []
        self.partitions: list[list[Record]] = [[] for _ in range(partitions)]
        previous = [0] * partitions
        for event in history:
            everywhere = range(partitions)
            for one in everywhere if event.is_broadcast else [crc32(event.home.encode()) % partitions]:
                headers = Link(event.position, previous[one]).headers()
                self.partitions[one].append(Record(len(self.partitions[one]), wire_of(event), headers))
                previous[one] = event.position

    async def live(self, projection: Projection[Any, Any]) -> dict[int, list[str]]:
        """Fold one event after the other, as a processor that is never behind, and keep all rows after each."""
        return await self.lived(projection, lambda: self.rows(projection, projection.name))

    async def lived(self, projection: Projection[Any, Any], see: Callable[[], Awaitable[S]]) -> dict[int, S]:
        """The same, and keep what is seen after each."""
        await make_places(self.pool, [projection])
        lanes = [
            Lane(Store(self.pool, "", speaks=False), [projection], one, TOPIC) for one in range(len(self.partitions))
        ]
        for lane in lanes:
            await lane.begin()
        next_of = [0] * len(lanes)
        seen = {}
        for event in self.history:
            for lane in lanes:
                records, at = self.partitions[lane.partition], next_of[lane.partition]
                if at < len(records) and orjson.loads(records[at].value or b"")["sequence"] == f"{event.position:019d}":
                    await lane.offer([records[at]])
                    await lane.settle()
                    next_of[lane.partition] += 1
            seen[event.position] = await see()
        return seen

    async def rows(self, projection: Projection[Any, Any], place: str) -> list[str]:
        """Every row of a place that a replay must reproduce."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("select set_config('search_path', $1, true)", place)
            return [row async for row in read_lines(connection, projection.table.digests)]

    def standing(self, batch: int, most_bytes: int | None = None) -> Standing:
        return Standing(self.pool, self.fold(batch), most_bytes)

    def fold(self, batch: int) -> Fold:
        """Folds as what reads Kafka does, so many records at once."""

        async def fold(
            projection: Projection[Any, Any], place: str, after: int, until: int, being_copied: BeingCopied | None
        ) -> None:
            self.folded.append((after, until))
            places = {projection.name: place}
            store = Store(self.pool, "", places, speaks=False, as_of=until, being_copied=being_copied)
            for partition, records in enumerate(self.partitions):
                lane = Lane(store, [projection], partition, TOPIC)
                await lane.begin()
                assert lane.last <= after
                wanted = up_to(records, until)
                for at in range(0, len(wanted), batch):
                    await lane.offer(wanted[at : at + batch])
                await lane.settle()

        return fold
