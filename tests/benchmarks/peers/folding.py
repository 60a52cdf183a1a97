"""What a peer does with the records that its library hands it: fold them, commit rows and offsets in one transaction.

As good as a user of that library would make it by hand: a batch of several partitions is one transaction, what was read
before is dropped by its offset, and a watermark that is not what was folded from refuses the transaction.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self

import asyncpg

from projections import alert_level, case_timeline
from projections.part import Part
from projections.projection import Page, Projection
from projections.taken import take

PROJECTIONS: dict[str, Projection[Any, Any]] = {
    one.name: one for one in (alert_level.PROJECTION, case_timeline.PROJECTION)
}

MOVE = """
with asked as (
    select * from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[])
        as a (place, partition, from_offset, next_offset, last_position, next_due)
), moved as (
    update projections.watermark w
    set next_offset = a.next_offset, last_position = a.last_position, next_due = a.next_due
    from asked a
    where w.place = a.place and w.partition = a.partition and w.next_offset = a.from_offset
    returning 1
)
select count(*), set_config('synchronous_commit', 'off', true) from moved
"""

BEGIN = """
insert into projections.watermark (place, partition, projection, version, topic_id)
select p, n, p, 1, gen_random_uuid() from unnest($1::text[]) p, generate_series(0, $2 - 1) n
on conflict do nothing
"""

OFFSETS = "select partition, next_offset from projections.watermark where place = $1"


class Record(NamedTuple):
    """What is needed of one record."""

    partition: int
    offset: int
    value: bytes


@dataclass(frozen=True)
class Task:
    """The command line of a peer."""

    bootstrap: str
    dsn: str
    records: int
    projections: tuple[Projection[Any, Any], ...]

    @classmethod
    def read(cls) -> Self:
        bootstrap, dsn, records, *names = sys.argv[1:]
        return cls(bootstrap, dsn, int(records), tuple(PROJECTIONS[name] for name in names))


class Folding:
    """The parts of all partitions, over one connection."""

    def __init__(
        self,
        connection: asyncpg.Connection[asyncpg.Record],
        projections: Sequence[Projection[Any, Any]],
        partitions: int,
    ) -> None:
        self._connection = connection
        self._projections = projections
        self._parts = [{one.name: Part(one.fold) for one in projections} for _ in range(partitions)]
        self._next = [0] * partitions
        self.taken = 0

    @classmethod
    async def begin(cls, task: Task, partitions: int = 12) -> Self:
        """Make the tables where they are not there yet; who begins again takes the offsets from the watermarks."""
        connection = await asyncpg.connect(task.dsn, server_settings={"jit": "off"})
        for one in task.projections:
            await connection.execute("select set_config('search_path', $1, false)", one.name)
            if not await connection.fetchval("select to_regnamespace($1) is not null", one.name):
                await connection.execute(f'create schema "{one.name}"')
                await connection.execute(one.table.definition)
        names = [one.name for one in task.projections]
        await connection.execute(BEGIN, names, partitions)
        folding = cls(connection, task.projections, partitions)
        for row in await connection.fetch(OFFSETS, names[0]):
            folding._next[row["partition"]] = row["next_offset"]
        return folding

    async def take(self, records: Sequence[Record]) -> None:
        """Fold records, in order in each partition, and commit."""
        events: dict[int, list[Any]] = {}
        before: dict[int, int] = {}
        after = list(self._next)
        for partition, offset, value in records:
            if offset >= after[partition]:
                before.setdefault(partition, after[partition])
                after[partition] = offset + 1
                events.setdefault(partition, []).append(take(value))
        if not events:
            return
        places, numbers, dues = [], [], []
        pages: list[tuple[Projection[Any, Any], int, Page]] = []
        for one in self._projections:
            together = Page()
            for number, batch in events.items():
                part = self._parts[number][one.name]
                part.hold(part.wants(batch), {})
                page, _ = part.take(batch)
                if one.fold.stateless:
                    for writing, rows in page.rows.items():
                        together.rows.setdefault(writing, []).extend(rows)
                else:
                    pages.append((one, number, page))
                places.append(one.name)
                numbers.append(number)
                dues.append(part.next_due and datetime.fromisoformat(part.next_due))
            pages.append((one, 0, together))
        async with self._connection.transaction():
            moved = await self._connection.fetchval(
                MOVE,
                places,
                numbers,
                [before[number] for number in numbers],
                [after[number] for number in numbers],
                [events[number][-1].position for number in numbers],
                dues,
            )
            assert moved == len(places), "a watermark is not what was folded from"
            for one, number, page in pages:
                if page.rows:
                    await self._connection.execute("select set_config('search_path', $1, true)", one.name)
                    await one.table.write(self._connection, {number: page})
        self._next = after
        self.taken += len(records)
