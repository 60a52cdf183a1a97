"""A ledger's history cut into partitions as Kafka would hold it, and lanes that fold it, without a broker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import orjson

from events.envelope import Draft, canonical
from events.event import Event
from events.vocabulary import EVERY_HOME, Actor, Role
from projections.projection import Page, Projection
from projections.taken import Taken, take
from services import clock
from services.ledger.ledger import Append, Entry, Recorded, Submission
from services.ledger.postgres import PostgresLedger
from services.log.partition import partition_of
from services.log.record import Link
from services.processors.lane import Lane
from services.processors.making import make_places
from services.processors.pool import open_pool
from services.processors.store import Store
from tests.support.crisis import Written

SOURCE = "urn:intabaza:test"
TOPIC = UUID(int=77)
NAMES = UUID(int=78)


@dataclass(frozen=True)
class Record:
    """What Kafka would hold."""

    offset: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Stuck:
    """A projection's fold that cannot take these positions."""

    fold: Any
    positions: frozenset[int]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fold, name)

    def apply(self, shared: Any, state: Any, event: Taken, page: Page) -> None:
        if event.position in self.positions:
            raise ValueError("not with this program")
        self.fold.apply(shared, state, event, page)


def chained(rows: Iterable[Recorded], partition: int, partitions: int) -> list[Record]:
    """One partition's records of a history."""
    records: list[Record] = []
    previous = 0
    for row in rows:
        if row.home == EVERY_HOME or partition_of(row.home, partitions) == partition:
            records.append(Record(len(records), row.wire(), Link(row.position, previous).headers()))
            previous = row.position
    return records


class LaneTrial:
    """A simulated ledger, a store on it, and as many lanes as a test wants."""

    def __init__(
        self, ledger: PostgresLedger, pool: asyncpg.Pool[asyncpg.Record], owner: Any, partitions: int, dsn: str
    ) -> None:
        self.ledger, self.pool, self.owner, self.partitions = ledger, pool, owner, partitions
        self.projector_dsn = dsn
        self._versions: dict[str, int] = {}

    async def at(self, moment: datetime) -> None:
        """Set the ledger's clock."""
        await self.owner.execute("select ledger.set_clock($1)", moment)

    async def append(self, events: Iterable[Written], same_moment: int = 20) -> None:
        """Append made-up events, so many at a time under one moment."""
        for number, one in enumerate(events):
            if number % same_moment == 0:
                await self.at(one.recorded_at)
            entry = Entry(one.event_id, one.type, one.body)
            append = Append(one.stream, one.version - 1, one.home, (entry,))
            await self.ledger.append(Submission(one.command_id, b"\x01" * 32, (append,)))

    async def write(self, stream: str, home: str, data: Event) -> int:
        """Append one event; returns its position."""
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        its_id = uuid5(NAMES, f"{stream} {version}")
        drafted = Draft(
            event_id=its_id, source=SOURCE, stream=stream, version=version, home=home, data=data, command_id=its_id,
            command_mac=b"\x01" * 32, actor=Actor(role=Role.ADMIN, ref=UUID(int=1)),
        )  # fmt: skip
        append = Append(stream, version - 1, home, (Entry(its_id, data.name, drafted.body()),))
        return (await self.ledger.append(Submission(its_id, b"\x01" * 32, (append,)))).placed[-1].position

    async def write_raw(self, stream: str, home: str, name: str, data: Mapping[str, Any], **more: Any) -> int:
        """Append one event that no class of ours makes."""
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        its_id = uuid5(NAMES, f"{stream} {version}")
        attributes = {
            "id": str(its_id), "source": SOURCE, "subject": stream, "streamversion": version, "type": name,
            "partitionkey": home, "commandid": str(its_id), "correlationid": str(its_id), "mode": "actual",
            "dataschema": f"urn:intabaza:schema:{name}:1", "specversion": "1.0", "actorrole": "admin",
            "actorref": str(UUID(int=1)), "data": dict(data),
        } | more  # fmt: skip
        append = Append(stream, version - 1, home, (Entry(its_id, name, canonical(attributes)),))
        return (await self.ledger.append(Submission(its_id, b"\x01" * 32, (append,)))).placed[-1].position

    async def rows(self) -> list[Recorded]:
        found: list[Recorded] = []
        while rows := await self.ledger.read(found[-1].position if found else 0):
            found.extend(rows)
        return found

    async def history(self) -> list[Taken]:
        return [take(row.wire()) for row in await self.rows()]

    async def lane(self, *projections: Projection[Any, Any], partition: int = 0, speaks: bool = True) -> Lane:
        """A lane that has begun."""
        await make_places(self.pool, projections)
        lane = Lane(Store(self.pool, SOURCE, speaks=speaks), projections, partition, TOPIC)
        await lane.begin()
        return lane

    async def records(self, partition: int = 0) -> list[Record]:
        return chained(await self.rows(), partition, self.partitions)

    async def feed(self, lane: Lane, size: int = 100) -> None:
        """Offer a lane everything that it has not, in batches, and let it commit."""
        records = [one for one in await self.records(lane.partition) if position(one) > lane.last]
        for at in range(0, len(records), size):
            await lane.offer(records[at : at + size])
        await lane.settle()

    async def tallied(self, name: str = "tally") -> dict[str, tuple[Any, ...]]:
        """The rows of a tally."""
        rows = await self.pool.fetch(f'select key, events, rolling, fired, heeded, due from "{name}"."{name}"')
        return {row["key"]: tuple(row.values()) for row in rows}

    async def parked(self) -> list[dict[str, Any]]:
        """What is parked."""
        rows = await self.pool.fetch("select * from projections.parked order by position, key")
        return [dict(row) | {"shared": orjson.loads(row["shared"])} for row in rows]

    async def derived(self) -> list[Recorded]:
        """Derived events of the ledger."""
        return [row for row in await self.rows() if row.type.startswith("level.")]


def position(record: Record) -> int:
    return int(dict(record.headers)["position"])


@asynccontextmanager
async def lane_trial(owner_dsn: str, app_dsn: str, projector_dsn: str, partitions: int = 1) -> AsyncIterator[LaneTrial]:
    """A new simulated ledger on a migrated database, which begins where the made-up history does."""
    from tests.support.crisis import BEGIN

    owner = await asyncpg.connect(owner_dsn)
    await owner.execute("select ledger.simulate($1)", BEGIN)
    ledger = await PostgresLedger.connect(app_dsn, clock.now)
    pool = await open_pool(projector_dsn)
    trial = LaneTrial(ledger, pool, owner, partitions, projector_dsn)
    try:
        yield trial
    finally:
        trial.pool.terminate()
        await ledger.close()
        await owner.close()
