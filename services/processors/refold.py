"""Folding projections again from Kafka, outside the group, each into a schema of its own, by several processes.

Nothing is appended to the ledger. How far it is stands in the watermarks of its place, so an interrupted one can go on
and whoever waits can see it coming.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import asyncpg

from projections.projection import Projection
from projections.sql import named_queries
from services.database.pools import BY_KEY, as_it_was
from services.log.record import read_link
from services.log.walk import Silence
from services.processors.abreast import abreast
from services.processors.chain import Record
from services.processors.collecting import collect_rarely
from services.processors.errors import Again, Halt
from services.processors.lane import Lane
from services.processors.making import make_place
from services.processors.places import Places
from services.processors.store import BeingCopied, Store

SQL = named_queries("services.processors", "refold.sql")

WHATEVER_COMES = 2**62
"""The position of a line that is an offset alone; no ledger reaches it."""

SMALL = 20_000
"""Records below which starting processes costs more than they save."""


@dataclass(frozen=True, slots=True)
class Line:
    """Where the reading of a partition ends: at this offset, or after this position, whichever comes first.

    At the offset the partition has come to just this position, but where the line is `short` of what stands there: then
    nothing above the position is folded.
    """

    offset: int
    position: int
    short: bool = False


@dataclass(frozen=True, slots=True)
class Refolding:
    """What a process of its own needs to know to fold some partitions: all projections in one reading.

    `places` says in which schema each projection is folded, by its name. Where `as_of` is a position, nothing above it
    is folded, and no waiver that was recorded later counts.
    """

    dsn: str
    bootstrap: str
    topic: str
    projections: tuple[Projection[Any, Any], ...]
    places: Mapping[str, str]
    lines: Mapping[int, Line]
    as_of: int = WHATEVER_COMES


@asynccontextmanager
async def a_pool(dsn: str, most: int = 3) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    """Connections as the role intabaza_projector."""
    pool = await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=most,
        server_settings={"application_name": "intabaza refolding", **BY_KEY},
        reset=as_it_was,
    )
    try:
        yield pool
    finally:
        pool.terminate()


async def clear_place(pool: asyncpg.Pool[asyncpg.Record], projection: Projection[Any, Any], place: str) -> None:
    """Begin anew: an empty schema, no watermarks."""
    async with pool.acquire() as connection, connection.transaction():
        await drop_place(connection, place)
        await make_place(connection, projection, place)


@asynccontextmanager
async def copied_bare(
    pool: asyncpg.Pool[asyncpg.Record], projections: Sequence[Projection[Any, Any]], places: Mapping[str, str]
) -> AsyncIterator[None]:
    """Leave the indexes of tables that are copied into away until they are filled; nothing is looked up there before.

    To sort a whole index once costs less than to find each row's place in it. An index that says that its rows are
    unique fails where they are not, then as well as before: raises asyncpg.UniqueViolationError.
    """
    made = []
    for one in projections:
        for index in await indexes(pool, places[one.name], of_constraints=False):
            if index.table in one.copied:
                await pool.execute(index.dropping)
                made.append(index.making)
    yield
    for making in made:
        await pool.execute(making)


class Index(NamedTuple):
    """An index of a place: its table, what takes it away, and what makes it anew."""

    table: str
    dropping: str
    making: str


async def indexes(connection: Any, place: str, *, of_constraints: bool) -> list[Index]:
    """Those of all tables of a place, with those of its constraints or without."""
    return [Index(*row) for row in await connection.fetch(SQL["indexes"], place, of_constraints)]


async def drop_place(connection: Any, place: str) -> None:
    """Remove a schema that is not live, and what is known of it."""
    await connection.execute(f'drop schema if exists "{place}" cascade')
    for table in ("watermarks", "shared", "parked"):
        await connection.execute(SQL[f"forget_{table}"], place)


async def live_lines(connection: Any, projection: Projection[Any, Any]) -> dict[int, Line]:
    """How far the live projection has come, by partition; empty where none is live."""
    return (await lines_of(connection, [projection])).get(projection.name, {})


async def lines_of(connection: Any, projections: Sequence[Projection[Any, Any]]) -> dict[str, dict[int, Line]]:
    """How far live projections have come at one moment, by name and partition."""
    found: dict[str, dict[int, Line]] = {}
    for row in await connection.fetch(SQL["lines"], [one.name for one in projections]):
        found.setdefault(row["place"], {})[row["partition"]] = Line(row["next_offset"], row["last_position"])
    return found


async def lines_to_rebuild(connection: Any, projections: Sequence[Projection[Any, Any]]) -> dict[str, dict[int, Line]]:
    """The same, but of a partition in which keys wait only up to where the first of them does.

    What follows there is for a live worker: whoever rebuilds says nothing, and what those keys had still to say would
    never be said.
    """
    found = await lines_of(connection, projections)
    for row in await connection.fetch(SQL["waits"], [one.name for one in projections]):
        line = found[row["place"]][row["partition"]]
        found[row["place"]][row["partition"]] = Line(line.offset, min(line.position, row["position"] - 1), short=True)
    return found


def ends(bootstrap: str, topic: str) -> dict[int, Line]:
    """Every partition to its present end."""
    with Places(bootstrap, topic) as places:
        return to_the_end(places)


def to_the_end(places: Places) -> dict[int, Line]:
    """The same of a topic that is being read already."""
    return {one: Line(end, WHATEVER_COMES) for one, end in places.ends(range(places.partitions)).items()}


async def refold(
    refolding: Refolding, processes: int, progress: Callable[[int, int], None] = lambda done, of: None
) -> None:
    """Fold every partition up to its line; `progress` is told how many records of how many, of all processes together.

    Raises Halt as soon as one of them cannot go on; then what stands in the places is of no use.
    """
    lines = {one: line for one, line in refolding.lines.items() if line.position}
    total = sum(line.offset for line in lines.values())
    if not lines:
        return
    if processes < 2 or total < SMALL:
        await fold_partitions(replace(refolding, lines=lines))
    else:
        shares = {name: replace(refolding, lines=share) for name, share in share_out(lines, processes).items()}
        async with a_pool(refolding.dsn, 1) as pool:

            async def look() -> None:
                folded = await pool.fetchval(SQL["folded"], list(refolding.places.values()))
                progress(min(folded, total - 1), total)

            await abreast(fold_share, shares, look)
    progress(total, total)


def share_out(lines: Mapping[int, Line], number: int) -> dict[str, dict[int, Line]]:
    """Partitions spread so that each process has about as much to read, by what each share is called in a sentence."""
    shares: list[tuple[int, list[int]]] = [(0, []) for _ in range(min(number, len(lines)))]
    for partition, line in sorted(lines.items(), key=lambda one: -one[1].offset):
        weight, share = min(shares, key=lambda one: one[0])
        shares.remove((weight, share))
        shares.append((weight + line.offset, [*share, partition]))
    return {
        f"partition{'s' * (len(share) > 1)} {', '.join(map(str, sorted(share)))}": {one: lines[one] for one in share}
        for _, share in shares
    }


def fold_share(refolding: Refolding) -> None:
    """Fold some partitions in this process, one after the other."""
    collect_rarely()
    asyncio.run(fold_partitions(refolding))


async def fold_partitions(refolding: Refolding) -> None:
    """Fold some partitions up to their lines, one after the other: on a long way so much of one comes at once that
    more of them would cost memory and smaller transactions.

    Raises Halt where a chain is broken or does not reach its line.
    """
    async with a_pool(refolding.dsn) as pool:
        with Places(refolding.bootstrap, refolding.topic) as places:
            for partition, line in sorted(refolding.lines.items()):
                await fold_abreast(replace(refolding, lines={partition: line}), pool, places)


async def fold_abreast(
    refolding: Refolding,
    pool: asyncpg.Pool[asyncpg.Record],
    places: Places,
    being_copied: BeingCopied | None = None,
) -> None:
    """Fold some partitions up to their lines, at once: while rows of one are read or written, another is folded. Into a
    place that is being copied too: it is read and folded meanwhile, and written once it is there.

    Raises Halt as `fold_partitions` does; then nothing is being written any more.
    """
    store = Store(pool, "", refolding.places, speaks=False, as_of=refolding.as_of, being_copied=being_copied)
    lanes = {one: Lane(store, refolding.projections, one, places.topic_id) for one in sorted(refolding.lines)}
    try:
        await together([lane.begin() for lane in lanes.values()])
        ends = await _read_on(refolding, places, lanes)
        await together([lane.settle() for lane in lanes.values()])
    except Again as error:
        raise Halt(f"{error}: the same seems to be folded again by somebody else at this time") from error
    except Silence as error:
        raise Halt(f"the broker sends nothing more of {error}: see `intabaza logs kafka`") from error
    finally:
        await asyncio.gather(*(lane.settle() for lane in lanes.values()), return_exceptions=True)
    for one, line in refolding.lines.items():
        if line.position < WHATEVER_COMES and not line.short and lanes[one].last != line.position:
            raise Halt(
                f"partition {one} ends with position {lanes[one].last} at offset {ends[one]} where the live watermark "
                f"says {line.position}: the log lacks something; see `intabaza relay status`"
            )


async def together(parts: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Await all; where one fails the others are ended before that is raised."""
    tasks = [asyncio.create_task(one) for one in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read_on(refolding: Refolding, places: Places, lanes: Mapping[int, Lane]) -> Mapping[int, int]:
    """Give each lane what comes next, up to its line; returns the offsets up to which was read.

    Of each partition the record is read again that was the last one: where another stands there, its place is searched.
    """
    lines, as_of = refolding.lines, refolding.as_of
    there = await asyncio.to_thread(places.ends, lines)
    ends = {one: min(line.offset, there[one]) for one, line in lines.items()}
    begins, anchors = {}, {}
    for one, lane in lanes.items():
        topic_id, offset, last = lane.hint
        if last >= min(lines[one].position, as_of):
            continue
        if last and topic_id == places.topic_id and 0 < offset <= ends[one]:
            begins[one], anchors[one] = offset - 1, last
        else:
            begins[one] = await asyncio.to_thread(places.find, one, topic_id, offset, last)
    while begins:
        walk, lost = places.walk(begins, ends), []
        while walk.under_way:
            for at, records in (await asyncio.to_thread(walk.next)).items():
                if (last := anchors.pop(at.partition, 0)) and not _is(records[0], begins[at.partition], last):
                    walk.leave(at)
                    lost.append(at.partition)
                    continue
                until = min(as_of, lines[at.partition].position) if lines[at.partition].short else as_of
                wanted = records if until == WHATEVER_COMES else up_to(records, until)
                if wanted:
                    await lanes[at.partition].offer(wanted)
                if len(wanted) < len(records):
                    walk.leave(at)
        begins = {one: await asyncio.to_thread(places.find, one, *lanes[one].hint) for one in lost}
    return ends


def _is(record: Record, offset: int, position: int) -> bool:
    link = read_link(record.headers)
    return link is not None and (record.offset, link.position) == (offset, position)


def up_to(records: Sequence[Record], position: int) -> Sequence[Record]:
    """Records up to the first of ours above a position: whatever comes after it is above as well, or a repeat."""
    for number, record in enumerate(records):
        link = read_link(record.headers)
        if link is not None and link.position > position:
            return records[:number]
    return records
