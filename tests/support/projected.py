"""A projection in tests: folded over so many partitions, in such batches, restarted anywhere, through real tables.

`projected(connection, PROJECTION, history, …)` folds a history into tables in a schema of its own, as a processor does:
it loads what a batch needs, commits what comes out of it, and where it is restarted forgets everything it held.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from zlib import crc32

import orjson

from projections.part import Part
from projections.projection import Connection, Derived, Page, Projection
from projections.rows import read_lines
from projections.taken import Taken

_SCHEMAS = count(1)


@dataclass(frozen=True)
class Projected:
    """What a fold left behind: its digest's rows, and what it derived, in an order that no partitioning changes."""

    rows: list[str]
    derived: list[Derived]


def folded(projection: Projection[Any, Any], history: Sequence[Taken]) -> tuple[Page, list[Derived]]:
    """Fold in memory, one event a batch; returns all rows as they were written, in order, and what was derived."""
    part: Part[Any, Any] = Part(projection.fold)
    all_of_it = Page()
    for event in history:
        part.hold(part.wants([event]), {})
        page, _ = part.take([event])
        for writing, rows in page.rows.items():
            all_of_it.rows.setdefault(writing, []).extend(rows)
        all_of_it.derived.extend(page.derived)
    return all_of_it, all_of_it.derived


@asynccontextmanager
async def in_a_place(connection: Connection, projection: Projection[Any, Any]) -> AsyncIterator[None]:
    """New tables of a projection in a schema of their own, which the connection speaks of meanwhile."""
    schema = f"place_{next(_SCHEMAS)}"
    await connection.execute(f"create schema {schema}; set search_path to {schema}")
    try:
        await connection.execute(projection.table.definition)
        yield
    finally:
        await connection.execute(f"drop schema {schema} cascade; reset search_path")


async def projected(
    connection: Connection,
    projection: Projection[Any, Any],
    history: Sequence[Taken],
    *,
    partitions: int = 1,
    batches: Sequence[int] = (1_000_000,),
    restarts: Sequence[bool] = (False,),
    forgets: bool = False,
) -> Projected:
    """Fold `history` into new tables and sum it up.

    Each partition is cut into batches of the sizes `batches`, again and again; after each batch the part is thrown away
    where the next of `restarts` says so. `forgets` lets go of every state after its commit.
    """
    async with in_a_place(connection, projection):
        derived: list[Derived] = []
        for partition in range(partitions):
            mine = [one for one in history if one.is_broadcast or crc32(one.home.encode()) % partitions == partition]
            derived += await _one_partition(connection, projection, mine, partition, batches, restarts, forgets)
        async with connection.transaction():
            rows = [row async for row in read_lines(connection, projection.table.digests)]
    return Projected(rows, sorted(derived, key=lambda one: one.order))


async def _one_partition(
    connection: Connection,
    projection: Projection[Any, Any],
    history: Sequence[Taken],
    partition: int,
    batches: Sequence[int],
    restarts: Sequence[bool],
    forgets: bool,
) -> list[Derived]:
    derived: list[Derived] = []
    saved: Any = None
    part: Part[Any, Any] | None = None
    for number, batch in enumerate(_cut(history, batches)):
        if part is None:
            part = await _loaded(connection, projection, partition, saved)
        wanted = part.wants(batch)
        part.hold(wanted, await projection.table.load(connection, wanted) if wanted else {})
        page, changed = part.take(batch)
        async with connection.transaction():
            await projection.table.write(connection, {partition: page})
        if part.shared_changed:
            saved = orjson.loads(orjson.dumps(projection.fold.save(part.shared)))
        derived += page.derived
        if forgets and not projection.fold.whole:
            part.let_go(changed)
        if restarts[number % len(restarts)]:
            part = None
    return derived


async def _loaded(
    connection: Connection, projection: Projection[Any, Any], partition: int, saved: Any
) -> Part[Any, Any]:
    whole = projection.fold.whole
    states = await projection.table.load_partition(connection, partition) if whole else {}
    return Part(projection.fold, saved, states, await projection.table.dues(connection, partition))


def _cut(history: Sequence[Taken], sizes: Sequence[int]) -> Iterator[Sequence[Taken]]:
    at, number = 0, 0
    while at < len(history):
        size = sizes[number % len(sizes)]
        yield history[at : at + size]
        at, number = at + size, number + 1
