"""The ledger completed from Kafka: what is there is compared, what is missing is added, piece by piece."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import orjson

from projections.sql import named_queries
from services.database.lost import CONNECT_SECONDS, LOST
from services.database.pools import BY_KEY
from services.ledger.batcher import SQL as LEDGER
from services.ledger.ledger import Recorded
from services.local.progress import Progress
from services.local_problem import LocalProblem
from services.relay.ends import newest
from services.restoring.damage import Hole, NothingToGiveUp, NotRestored, OtherClock, OtherHistory, WhichClock
from services.restoring.destroyed import destroy_again, marks_in, marks_told
from services.restoring.log import KafkaLog, differing
from services.restoring.rows import NotARow, row_of
from services.vault.master import MasterKey

SQL = named_queries("services.restoring", "restoring.sql")

PIECE_EVENTS = 4_000
PIECE_BYTES = 8_000_000
"""What one transaction adds: few syncs, and little to read again after an interruption."""

COMPARED_EVENTS = 1_000

SENT_WITHIN = timedelta(days=1)
"""A real ledger's newest event is on Kafka this soon, unless the relay was away or the topics were made anew since."""

LOOK_SECONDS = 0.2
LEADERLESS_SECONDS = 5.0
"""A relay that was just started leads within this."""

BECAUSE = (
    "the ledger lacks events that Kafka has and is being restored from it: if `intabaza ledger restore` was "
    "interrupted, run it again; the relay opens the door once both agree"
)

COMPARING = "comparing the ledger with Kafka"
RESTORING = "restoring the ledger from Kafka"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done: positions after `before` and up to `head` were added; `foreign` records were passed over,
    `given_up` were written to a file; `destroyed_again` are keys and persons that the vault still had. `void` are
    projections whose rows hold what the ledger does not have in the end: they are to be rebuilt."""

    before: int
    head: int
    foreign: int
    given_up: int = 0
    destroyed_again: int = 0
    void: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A person decided that what Kafka has from a gap on goes to a file, and is history no more."""

    position: int
    into: Path


async def restore_ledger(
    owner_dsn: str,
    bootstrap: str,
    partitions: int,
    progress: Progress,
    *,
    master: MasterKey | None = None,
    simulated: bool | None = None,
    give_up: GiveUp | None = None,
) -> Restored:
    """Complete the ledger from Kafka, as the database's owner. Beginning again goes on where it ended.

    What the log says was destroyed is destroyed in the vault too, under its `master` key, before anybody can append.
    `simulated` says whether a ledger of which nothing is left had a scenario's clock; None leaves that to what is on
    Kafka. Raises NotRestored, and LocalProblem where a server is away; what was added by then is right, and the door
    stays shut.
    """
    connection = await _connect(owner_dsn)
    try:
        # Kafka's end first: what the ledger has more by then was not sent yet, and is no difference.
        log = await asyncio.to_thread(KafkaLog, bootstrap, partitions)
        with log:
            clock = await _clock_of(connection, simulated, bootstrap, partitions)
            restoring = _Restoring(connection, log, progress, master, clock)
            try:
                done = await restoring.run()
            except Hole as hole:
                if give_up is None or give_up.position != hole.position:
                    raise
                return await restoring.give_up(hole.position, give_up.into)
            if give_up is not None:
                raise NothingToGiveUp(give_up.position, done.head)
            return done
    except LOST as error:
        raise LocalProblem(
            f"The database did not take it ({str(error) or type(error).__name__}): see `intabaza status`, then begin "
            "again; it goes on from what was restored."
        ) from error
    finally:
        connection.terminate()


class _Restoring:
    """One run, on one connection and one log."""

    def __init__(
        self,
        connection: asyncpg.Connection[asyncpg.Record],
        log: KafkaLog,
        progress: Progress,
        master: MasterKey | None,
        simulated: bool,
    ) -> None:
        self._connection = connection
        self._log = log
        self._progress = progress
        self._master = master
        self._simulated = simulated
        self._destroyed_again = 0
        self._stopped_by: NotRestored | None = None
        self._before = 0

    async def run(self) -> Restored:
        try:
            before = self._before = await self._compare()
        except OtherHistory:
            await self._shut()
            raise
        # a vault that is older than its ledger may have what was destroyed since
        async with self._connection.transaction():
            await self._destroy_again(self._said)
        try:
            found = await self._blocking(self._take, before)
        except NotRestored:
            await self._shut()
            raise
        if found:
            await self._shut()
            if (await _head(self._connection))["position"] != before:
                raise NotRestored(
                    "Somebody appended while the ledger was compared with Kafka; the door to appends is shut now. "
                    "Begin again: what was appended is compared too."
                )
        head = before
        while found:
            ahead = asyncio.ensure_future(self._blocking(self._take, found[-1].position))
            try:
                await self._add(head, found)
                head = found[-1].position
                self._progress.advance(RESTORING, self._log.read, max(self._log.records, 1) + 1)
            finally:
                # the log is one thread's at a time, and is closed when this has ended
                await asyncio.gather(ahead, return_exceptions=True)
            await self._compare_repeats(head)
            found = ahead.result()
        if head > before:
            self._progress.advance(RESTORING, 1, 1)
        void = await self._void()
        return Restored(before, head, self._log.foreign, destroyed_again=self._destroyed_again, void=void)

    async def give_up(self, position: int, into: Path) -> Restored:
        """Write what Kafka has from a gap on to a file, and have the topics made anew from the ledger.

        What it says was destroyed is destroyed all the same: whoever was promised that was promised it for ever.
        """
        given_up, marks = await self._blocking(_write_rest, self._log, into)
        try:
            async with self._connection.transaction():
                await self._destroy_again(marks)
        except NotRestored:
            await self._blocking(into.unlink)
            raise
        void = await self._void()
        for topic, topic_id in self._log.topic_ids.items():
            await self._connection.execute(SQL["republish"], topic, topic_id)
        return Restored(self._before, position - 1, self._log.foreign, given_up, self._destroyed_again, void)

    async def _void(self) -> tuple[str, ...]:
        """Keep everybody from reading on from rows of what is no history: at its positions something else comes."""
        async with self._connection.transaction():
            await self._connection.execute(SQL["forget_moments"])
            rows = await self._connection.fetch(SQL["void_rows"])
        return tuple(sorted({row["projection"] for row in rows if row["place"] == row["projection"]}))

    async def _compare(self) -> int:
        """Compare all that the ledger has with Kafka, and say where it ends."""
        head = 0
        self._said: set[str] = set()
        while rows := [Recorded(*row) for row in await self._connection.fetch(LEDGER["read"], head, COMPARED_EVENTS)]:
            for expected, row in enumerate(rows, head + 1):
                if row.position != expected:
                    raise NotRestored(
                        f"The ledger holds position {row.position} but not {expected}: rows were taken out of its "
                        "midst. Put an older backup of it back, or begin with an empty one; the rest comes from Kafka."
                    )
            await self._blocking(self._match, rows)
            head = rows[-1].position
            self._said |= marks_in(rows)
            await self._compare_repeats(head)
            self._progress.advance(COMPARING, self._log.read, max(self._log.records, 1) + 1)
        self._progress.advance(COMPARING, 1, 1)
        return head

    def _match(self, rows: Sequence[Recorded]) -> None:
        for row in rows:
            self._log.take(row.position, row)

    def _take(self, after: int) -> list[Recorded]:
        """What is missing next; none at the end. What cannot be read is raised once all before it was taken."""
        if self._stopped_by is not None:
            raise self._stopped_by
        rows: list[Recorded] = []
        size = 0
        while len(rows) < PIECE_EVENTS and size < PIECE_BYTES:
            try:
                row = self._log.take(after + len(rows) + 1)
            except NotRestored as error:
                self._stopped_by = error
                if not rows:
                    raise
                break
            if row is None:
                break
            rows.append(row)
            size += len(row.body)
        return rows

    async def _add(self, after: int, rows: Sequence[Recorded]) -> None:
        """Add rows, and destroy in the vault what they say was destroyed, all or nothing."""
        async with self._connection.transaction():
            await self._add_rows(after, rows)
            await self._destroy_again(marks_in(rows))

    async def _destroy_again(self, marks: Set[str]) -> None:
        if marks:
            if self._master is None:
                raise NotRestored(
                    "The log says that keys were destroyed, and without the master key of this vault nobody knows "
                    "which: put the key in its place (`intabaza settings` says where), then begin again"
                )
            self._destroyed_again += await destroy_again(self._connection, self._master, marks)

    async def _add_rows(self, after: int, rows: Sequence[Recorded]) -> None:
        try:
            await self._connection.execute(
                SQL["restore"],
                after,
                self._simulated,
                [row.stream for row in rows],
                [row.version for row in rows],
                [row.event_id for row in rows],
                [row.type for row in rows],
                [row.home for row in rows],
                [row.recorded_at for row in rows],
                [row.command_id for row in rows],
                [row.command_mac for row in rows],
                [row.body for row in rows],
                [row.splice_version for row in rows],
            )
        except asyncpg.UniqueViolationError as error:
            raise NotRestored(
                f"Of positions {after + 1} to {rows[-1].position} on Kafka, one repeats what the ledger has under "
                f"another position ({error.constraint_name}): {_NOT_THIS_LOG}"
            ) from None
        except (asyncpg.DataError, asyncpg.ObjectNotInPrerequisiteStateError) as error:
            raise NotRestored(f"Nothing was added after position {after}, because {error}: {_NOT_THIS_LOG}") from None

    async def _compare_repeats(self, head: int) -> None:
        """What a relay sent twice must be what it sent first, which the ledger has by now up to its head."""
        repeats = [one for one in self._log.repeats if one.position <= head]
        self._log.repeats = [one for one in self._log.repeats if one.position > head]
        for at in range(0, len(repeats), COMPARED_EVENTS):
            some = repeats[at : at + COMPARED_EVENTS]
            rows = [Recorded(*row) for row in await self._connection.fetch(SQL["at"], [one.position for one in some])]
            other = differing(some, {row.position: row.wire() for row in rows})
            if other is not None:
                raise NotRestored(
                    f"{other.at.topic} partition {other.at.partition} repeats position {other.position} at offset "
                    f"{other.offset} as another event: {_NOT_THIS_LOG}"
                )

    async def _shut(self) -> None:
        await self._connection.execute(SQL["shut"], BECAUSE)

    async def _blocking(self, do: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.to_thread(do, *arguments)


async def _head(connection: asyncpg.Connection[asyncpg.Record]) -> asyncpg.Record:
    row = await connection.fetchrow(SQL["head"])
    assert row is not None
    return row


async def _clock_of(
    connection: asyncpg.Connection[asyncpg.Record], said: bool | None, bootstrap: str, partitions: int
) -> bool:
    """Whether this ledger's clock is a scenario's; raises NotRestored where that is contradicted, or nothing says it.

    Taken for a real one, a scenario's would go on years later in a single step, and that can never be taken back.
    """
    begun = (await _head(connection))["simulated"]
    if begun is not None and said is not None and begun != said:
        raise OtherClock(really_simulated=begun)
    known: bool | None = said if begun is None else begun
    if known is not None or (found := await asyncio.to_thread(newest, bootstrap, partitions)) is None:
        return bool(known)
    try:
        recorded_at = row_of(found.wire).recorded_at
    except NotARow:
        return False  # which is told with its place when it is restored
    if abs(found.sent_at - recorded_at) > SENT_WITHIN:
        raise WhichClock(found.position, recorded_at, found.sent_at)
    return False


def _write_rest(log: KafkaLog, into: Path) -> tuple[int, set[str]]:
    """A line of JSON for each record, in a new file for our account only, on the disk when this returns: how many, and
    the marks of what they say was destroyed."""
    try:
        descriptor = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise LocalProblem(
            f"{into} could not be made ({error.strerror}): name a file that does not exist yet, in a folder that can "
            "be written."
        ) from error
    written, marks = 0, set[str]()
    with os.fdopen(descriptor, "wb") as file:
        for at, front in log.rest():
            record = {
                "topic": at.topic,
                "partition": at.partition,
                "offset": front.offset,
                "position": front.position,
                "event": front.value.decode(errors="replace"),
            }
            file.write(orjson.dumps(record) + b"\n")
            written += 1
            marks |= marks_told(front.value)
        file.flush()
        os.fsync(file.fileno())
    return written, marks


_NOT_THIS_LOG = (
    "Kafka is damaged, or is written by somebody else. The door to appends stays shut; take the topics from another "
    "replica or a backup of the broker's data and begin again"
)


async def until_the_door_opens(owner_dsn: str, seconds: float) -> str | None:
    """Wait until the relay has opened the door; why it is still shut where it has not by then, or nobody leads."""
    connection = await _connect(owner_dsn)
    try:
        now = asyncio.get_running_loop().time
        began = led = now()
        while because := await connection.fetchval(SQL["door"]):
            led = now() if await connection.fetchval(SQL["leader"]) else led
            if now() > began + seconds or now() > led + LEADERLESS_SECONDS:
                return str(because)
            await asyncio.sleep(LOOK_SECONDS)
        return None
    finally:
        await connection.close()


async def _connect(owner_dsn: str) -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await asyncpg.connect(
            owner_dsn,
            timeout=CONNECT_SECONDS,
            server_settings={"application_name": "intabaza ledger restore", "synchronous_commit": "on", **BY_KEY},
        )
    except LOST as error:
        raise LocalProblem(
            f"The database did not answer ({str(error) or type(error).__name__}): see `intabaza status`."
        ) from error
