"""What a partition's lane reads at its beginning and commits after each batch."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import orjson

from events.envelope import splice
from projections.part import Part
from projections.projection import Connection, Derived, Page, Projection, derived_id
from projections.sql import named_queries
from projections.taken import Taken, take
from services.processors.derived import append_derived
from services.processors.errors import OtherVersion, Superseded
from services.processors.pool import APPLICATION, STATEMENT_SECONDS
from services.processors.together import Together

SQL = named_queries("services.processors", "store.sql")

Wants: TypeAlias = "Mapping[Live, Collection[str]]"
"""Keys of each projection in one partition whose states are not in memory."""

OF_NO_FORM = 0
"""The form of rows that a restored ledger does not account for (services/restoring)."""


@dataclass(slots=True)
class Mark:
    """A watermark as this worker knows it: what its next commit compares with."""

    place: str
    generation: UUID
    topic_id: UUID
    next_offset: int
    last_position: int


@dataclass(slots=True, eq=False)
class Live:
    """One projection in one partition: its watermark, what is in memory, and up to which position that was folded."""

    projection: Projection[Any, Any]
    mark: Mark
    part: Part[Any, Any]
    last: int
    touched: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parking:
    """A key that takes nothing from `position` on; `shared` is what broadcasts had told before that, as JSON."""

    key: str
    position: int
    why: str
    shared: str


@dataclass(frozen=True, slots=True)
class Resumption:
    """A key that was parked from `position` on has taken a piece of what waited: it waits `onward`, or no more."""

    key: str
    position: int
    onward: Parking | None


@dataclass(frozen=True, slots=True)
class Step:
    """How far one partition goes: what each of its projections writes, and the topic that was read."""

    partition: int
    topic_id: UUID
    moves: Sequence[Move]

    @property
    def derived(self) -> list[Derived]:
        """What follows from it, in order."""
        return [one for move in self.moves for one in move.page.derived]

    @property
    def plain(self) -> bool:
        """Whether it is rows and what follows from them, and nothing that is kept beside them."""
        return all(
            not (one.parking or one.passed) and one.shared is None and one.resumed is None and one.waived is None
            for one in self.moves
        )


@dataclass(frozen=True, slots=True)
class Move:
    """What one projection writes for one batch, and where its watermark goes.

    `shared` is JSON already: the next batch is folded, and changes what broadcasts have told, while this one commits.
    `waived`: a waiver of this key and position is the last thing read; `asked`: the key waits in this partition.
    `passed` are positions that keys passed over.
    """

    live: Live
    page: Page
    to_position: int
    next_offset: int
    next_due: str | None
    shared: str | None = None
    parking: Sequence[Parking] = ()
    resumed: Resumption | None = None
    waived: tuple[str, int] | None = None
    asked: bool = False
    passed: Sequence[tuple[str, int]] = ()

    @property
    def is_live(self) -> bool:
        """Whether it moves the rows that are read, and no shadow of them."""
        return self.live.mark.place == self.live.projection.name


@dataclass(frozen=True, slots=True)
class BeingCopied:
    """A place that gets all that another one has, which nobody changes: that one is read until `done`."""

    place: str
    source: str
    done: asyncio.Task[None]

    def read_in(self, place: str) -> str:
        """Where to read what stands in a place, to be asked before a snapshot is taken; raises what copying raised."""
        if place != self.place:
            return place
        if not self.done.done():
            return self.source
        self.done.result()
        return place


class Store:
    """Postgres as the role intabaza_projector.

    `places` says in which schema each projection stands, by its name where it is not said; `speaks` is false for one
    that is being rebuilt: it appends nothing. No waiver counts that was recorded after the position `as_of`, where that
    is said. Of a place that is `being_copied` everything can be read, and what is committed waits until it is there.
    """

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        source: str,
        places: Mapping[str, str] | None = None,
        speaks: bool = True,
        as_of: int | None = None,
        being_copied: BeingCopied | None = None,
    ) -> None:
        self.pool = pool
        self._being_copied = being_copied
        self._as_of = as_of
        self._source = source
        self._places = dict(places or {})
        self._speaks = speaks
        self._stands: dict[str, None] = {}
        self._steps = Together[Step, int](self._commit)
        self._loads = Together[Wants, Mapping[Live, Mapping[str, Any]]](self._load)

    def place(self, projection: Projection[Any, Any]) -> str:
        """The schema that a projection's rows stand in."""
        return self._places.get(projection.name, projection.name)

    async def end_frozen(self) -> int:
        """End sessions of workers that are frozen while they send rows, and hold what others wait for; how many."""
        return int(await self.pool.fetchval(SQL["end_frozen"], APPLICATION, float(STATEMENT_SECONDS)))

    async def begin(self, projections: Sequence[Projection[Any, Any]], partition: int, topic_id: UUID) -> list[Live]:
        """Everything that these projections know of one partition. Raises OtherVersion."""
        self._stands.update(dict.fromkeys(self.place(one) for one in projections))
        reads = {one.name: self._read_in(self.place(one)) for one in projections}
        places, path = list(reads.values()), self._read_path
        names = [one.name for one in projections]
        made_by = [one.version for one in projections], [one.form for one in projections]
        # Apart from the reading, which would fail in its snapshot where another worker commits at the same time.
        await self.pool.execute(SQL["begin"], places, partition, names, *made_by, topic_id)
        async with self.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            marks = {row["place"]: row for row in await connection.fetch(SQL["marks"], partition, places)}
            _refuse_other_rows([(one, marks[reads[one.name]]) for one in projections])
            parked = await connection.fetch(SQL["parked"], partition, places)
            waivers = [
                (row["position"], orjson.loads(row["body"])["data"])
                for row in await connection.fetch(SQL["waivers"], self._as_of)
            ]
            await connection.execute(SQL["stand"], path)
            void = {tuple(row) for row in await connection.fetch(SQL["void"])}
            waived = [
                waiver
                for at, data in waivers
                if (waiver := (data["projection"], data["key"], data["position"])) not in void and data["position"] < at
            ]
            return [
                await self._live(
                    connection,
                    one,
                    marks[reads[one.name]],
                    partition,
                    [row["key"] for row in parked if row["place"] == reads[one.name]],
                    [(key, position) for projection, key, position in waived if projection == one.name],
                )
                for one in projections
            ]

    async def _live(
        self,
        connection: Connection,
        projection: Projection[Any, Any],
        row: asyncpg.Record,
        partition: int,
        parked: Sequence[str],
        waived: Sequence[tuple[str, int]],
    ) -> Live:
        table, fold = projection.table, projection.fold
        states = await table.load_partition(connection, partition) if fold.whole else {}
        dues = await table.dues(connection, partition)
        part = Part(
            fold,
            orjson.loads(row["shared"]) if row["shared"] else None,
            {key: state for key, state in states.items() if key not in parked},
            dues,
            parked,
            waived,
        )
        mark = Mark(
            self.place(projection), row["generation"], row["topic_id"], row["next_offset"], row["last_position"]
        )
        return Live(projection, mark, part, mark.last_position)

    @property
    def _path(self) -> str:
        """Every schema that this worker folds into; no two projections have a table of one name."""
        return ", ".join(f'"{place}"' for place in self._stands)

    @property
    def _read_path(self) -> str:
        """The same, to read what stands there."""
        return ", ".join(f'"{self._read_in(place)}"' for place in self._stands)

    def _read_in(self, place: str) -> str:
        return place if self._being_copied is None else self._being_copied.read_in(place)

    async def _is_there(self) -> None:
        """Wait until a place that is being copied can be written; raises what the copying raised."""
        if self._being_copied is not None:
            await asyncio.shield(self._being_copied.done)

    async def load(self, wants: Wants) -> Mapping[Live, Mapping[str, Any]]:
        """The states of keys that are not in memory, as they were committed last."""
        return await self._loads.ask(wants) if wants else {}

    async def _load(self, asked: Sequence[Wants]) -> Sequence[Mapping[Live, Mapping[str, Any]]]:
        tables = {live.mark.place: live.projection.table for wants in asked for live in wants}
        keys: dict[str, dict[str, None]] = {place: {} for place in tables}
        for wants in asked:
            for live, wanted in wants.items():
                keys[live.mark.place].update(dict.fromkeys(wanted))
        found: dict[str, Mapping[str, Any]] = {}
        path = self._read_path
        async with self.pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute(SQL["stand"], path)
            for place, table in tables.items():
                found[place] = await table.load(connection, list(keys[place]))
        return [
            {
                live: {key: of[key] for key in wanted if key in of}
                for live, wanted in wants.items()
                for of in (found[live.mark.place],)
            }
            for wants in asked
        ]

    async def commit(self, partition: int, topic_id: UUID, moves: Sequence[Move]) -> int:
        """One transaction: every watermark by compare-and-set, rows, then derived events; returns how many of those.

        Raises Superseded where a watermark is not what was folded from; nothing is written then. Partitions that
        commit in the same turn of the loop share a transaction, unless there is more to write than rows.
        """
        step = Step(partition, topic_id, moves)
        return await self._steps.ask(step) if step.plain else (await self._commit([step]))[0]

    async def _commit(self, steps: Sequence[Step]) -> Sequence[int]:
        derived = [one for step in steps for one in step.derived] if self._speaks else []
        moves = [(step, move) for step in steps for move in step.moves]
        moves.sort(key=lambda one: (one[1].live.mark.place, one[0].partition))  # as whoever swaps places locks them
        await self._is_there()
        async with self.pool.acquire() as connection, connection.transaction():
            marks = [move.live.mark for _, move in moves]
            moved = await connection.fetchval(
                SQL["move"],
                [step.partition for step, _ in moves],
                [mark.place for mark in marks],
                [mark.generation for mark in marks],
                [mark.last_position for mark in marks],
                [move.to_position for _, move in moves],
                [move.next_offset for _, move in moves],
                [move.next_due and datetime.fromisoformat(move.next_due) for _, move in moves],
                [step.topic_id for step, _ in moves],
                self._path,
            )
            if moved != len(moves):
                where = ", ".join(str(step.partition) for step in steps)
                raise Superseded(f"partition {where}: a watermark is not what this worker folded from")
            await self._write(connection, steps)
            appended = await append_derived(connection, derived, self._source) if derived else frozenset[UUID]()
        for step, move in moves:
            move.live.mark.last_position = move.to_position
            move.live.mark.next_offset = move.next_offset
            move.live.mark.topic_id = step.topic_id
        return [len({derived_id(one.seed) for one in step.derived} & appended) if appended else 0 for step in steps]

    async def _write(self, connection: Connection, steps: Sequence[Step]) -> None:
        for step in steps:
            for move in step.moves:
                if move.resumed is not None:
                    await self._resume(connection, move.live.mark.place, move.resumed)
        tables = {move.live.mark.place: move.live.projection.table for step in steps for move in step.moves}
        for place, table in tables.items():
            pages = {
                step.partition: move.page
                for step in steps
                for move in step.moves
                if move.live.mark.place == place and move.page.rows
            }
            if pages:
                await table.write(connection, pages)
        for step in steps:
            for move in step.moves:
                await self._write_beside(connection, step.partition, move)

    async def _write_beside(self, connection: Connection, partition: int, move: Move) -> None:
        place = move.live.mark.place
        if move.shared is not None:
            await connection.execute(SQL["share"], place, partition, move.shared)
        for one in move.parking:
            await connection.execute(SQL["park"], place, partition, one.key, one.position, one.why, one.shared)
        if move.is_live and (move.passed or move.waived is not None):
            await connection.execute(SQL["judge_in_turn"])
        if move.is_live and move.passed:
            await connection.execute(SQL["pass_over"], place, *map(list, zip(*move.passed, strict=True)))
        if move.is_live and move.waived is not None:
            await connection.execute(SQL["judge"], place, *move.waived, move.asked)
        if move.waived is not None and move.asked:
            await connection.execute(SQL["ask"], place, move.waived[0])

    async def _resume(self, connection: Connection, place: str, one: Resumption) -> None:
        """By compare-and-set as well, and before the rows: a watermark stands still while a key goes on."""
        if (onward := one.onward) is None:
            moved = await connection.fetchval(SQL["unpark"], place, one.key, one.position)
        else:
            moved = await connection.fetchval(
                SQL["go_on"], place, one.key, one.position, onward.position, onward.why, onward.shared
            )
        if moved is None:
            raise Superseded(f"{place}: somebody else lets {one.key} go on")

    async def parked(self, live: Live, key: str) -> Parking | None:
        """A parked key as it stands in the table."""
        await self._is_there()
        row = await self.pool.fetchrow(SQL["parked_key"], live.mark.place, key)
        return Parking(key, row["position"], row["why"], row["shared"]) if row else None

    async def still_parked(self, live: Live, key: str, why: str) -> None:
        """Say why a key could still not go on."""
        await self.pool.execute(SQL["still_parked"], live.mark.place, key, why)

    async def waiting(self, key: str, position: int, until: int, most: int) -> list[Taken]:
        """What waits behind a parked key, from the ledger: the first events from a position on."""
        rows = await self.pool.fetch(SQL["waiting"], key, position, until, most)
        return [take(splice(row["body"], row["position"], row["recorded_at"], row["splice_version"])) for row in rows]

    async def asked(
        self, projections: Sequence[Projection[Any, Any]], partitions: Sequence[int]
    ) -> list[tuple[str, int, str]]:
        """Keys that an operator wants to go on: place, partition, key."""
        rows = await self.pool.fetch(SQL["asked"], list(partitions), [self.place(one) for one in projections])
        return [(row["place"], row["partition"], row["key"]) for row in rows]


def _refuse_other_rows(read: Sequence[tuple[Projection[Any, Any], asyncpg.Record]]) -> None:
    """Raises OtherVersion, with all that is to be rebuilt in one go."""
    why, others, of_a_release = [], [], False
    for projection, row in read:
        made_by, here = (row["version"], row["form"]), (projection.version, projection.form)
        if made_by == here:
            continue
        others.append(projection.name)
        if row["form"] == OF_NO_FORM:
            why.append(f"the rows of {row['place']} hold what is not on the log in the end")
            continue
        of_a_release = True
        why.append(
            f"the rows of {row['place']} were made by its {_made_by(made_by)} and this program has {_made_by(here)}"
        )
    if others:
        or_else = ", or the release that made them" if of_a_release else ""
        raise OtherVersion(f"{'; '.join(why)}: run `intabaza rebuild {' '.join(others)}`{or_else}")


def _made_by(made_by: tuple[int, int]) -> str:
    version, form = made_by
    return f"version {version} in form {form}"
