"""The session that holds the leader's lock: what it saves is true, since it is written where the lock is held.

The server lets go of the lock when the session ends: at once when the process is killed, after LEASE_SECONDS of silence
when it is frozen, and when the network stops answering.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import structlog
from kafka import TopicPartition

from projections.sql import named_queries
from services.ledger.batcher import LOST
from services.ledger.postgres import CLOCK_SET
from services.relay.chain import Place
from services.relay.halts import TopicReplaced
from services.relay.tail import Foreign

SQL = named_queries("services.relay", "relay.sql")

TRY_SECONDS = 0.25
BEAT_SECONDS = 1.0
LEASE_SECONDS = 5
"""Not less: with 1.5 seconds, a leader on a machine that was busy tenfold lost the lead every five seconds for nothing,
began anew each time, and brought nothing to Kafka."""
ANSWER_SECONDS = 4.0

SESSION = {
    "application_name": "intabaza relay",
    "idle_session_timeout": f"{LEASE_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{LEASE_SECONDS}s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": f"{LEASE_SECONDS}s",
    # What is saved can be found out again from Kafka; a lost commit costs a look, not an event.
    "synchronous_commit": "off",
}

Saved: TypeAlias = Mapping[TopicPartition, tuple[UUID, Place]]

_log = structlog.get_logger(__name__)


class LeadLost(Exception):
    """The session is gone or holds the lock no more: another one may lead."""


class Leadership:
    """One session. It leads from `try_to_lead` on until it ends."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()  # one question at a time is all that a connection takes
        self._clock_set = asyncio.Event()

    @classmethod
    async def connect(cls, dsn: str) -> Leadership:
        """A session that does not lead yet; raises LeadLost where the database is not there."""
        try:
            lead = cls(await asyncpg.connect(dsn, timeout=ANSWER_SECONDS, server_settings=SESSION))
            await lead._connection.add_listener(CLOCK_SET, lambda *_: lead._clock_set.set())
            return lead
        except LOST as error:
            raise LeadLost(f"the database is not there ({str(error) or type(error).__name__})") from error

    def end(self) -> None:
        """Let go of the lock, by ending the session."""
        self._connection.terminate()

    async def try_to_lead(self) -> bool:
        return bool(await self._value("try_to_lead"))

    async def beat(self) -> None:
        """Show that this process lives, and make sure that it leads, for ever; raises LeadLost."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            if not await self._value("leads"):
                raise LeadLost("the lock is not held any more")

    async def saved(self) -> Saved:
        rows = await self._rows("saved")
        return {
            TopicPartition(topic, number): (topic_id, Place(last, next)) for topic, number, topic_id, last, next in rows
        }

    async def acknowledged(self) -> int:
        return int(await self._value("acknowledged"))

    async def save(self, ids: Mapping[str, UUID], places: Mapping[TopicPartition, Place], through: int) -> None:
        """Remember where these partitions' chains end, and that everything up to `through` is on Kafka."""
        await self._value(
            "save",
            [at.topic for at in places],
            [at.partition for at in places],
            [ids[at.topic] for at in places],
            [place.last_position for place in places.values()],
            [place.next_offset for place in places.values()],
            through,
        )

    async def note_foreign(self, ids: Mapping[str, UUID], foreign: Foreign) -> bool:
        """Remember a record that is not ours; whether it is seen for the first time."""
        at = foreign.at
        seen = await self._value("note_foreign", at.topic, ids[at.topic], at.partition, foreign.offset, foreign.bytes)
        return bool(seen)

    async def note_halt(self, because: str | None, door: str | None) -> None:
        """Remember why nothing is sent, and the sentence that the relay shut the door with, if it did."""
        await self._value("note_halt", because, door)

    async def shut_the_door(self) -> bool:
        """Whether the door to appends is shut by the relay, in this or an earlier life."""
        return bool(await self._value("shut_the_door"))

    async def republications(self) -> Mapping[str, UUID]:
        """The topics that are to be made anew, each with the id of the one that is to go."""
        return {row["topic"]: row["topic_id"] for row in await self._rows("republications")}

    async def begin_anew(self, topic: str) -> None:
        await self._value("begin_anew", topic)

    async def before(self, position: int, *, alerts: bool, limit: int) -> Sequence[tuple[int, str, str]]:
        """Position, home and type of the events before a position, the nearest first."""
        rows = await self._rows("alerts_before" if alerts else "before", position, limit)
        return [(row["position"], row["home"], row["type"]) for row in rows]

    async def ledger_clock(self) -> datetime | None:
        """The ledger's own clock; None while the ledger is empty and nobody said which clock it has."""
        rows = await self._rows("ledger_clock")
        return rows[0]["now"] if rows else None

    async def wait_for_the_clock(self, seconds: float) -> None:
        """Wait so long, or until somebody sets a simulated ledger's clock: a notification is only a hint to look."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._clock_set.wait()
        self._clock_set.clear()

    async def last_tick(self) -> tuple[int, datetime]:
        """The version of the clock's stream, and when it last ticked, or else when the ledger began."""
        rows = await self._rows("last_tick")
        if not rows:  # a simulated ledger without an event: its beginning is still to come
            return 0, datetime.max.replace(tzinfo=UTC)
        return rows[0]["version"], rows[0]["recorded_at"]

    async def standing(self) -> asyncpg.Record:
        return (await self._rows("standing"))[0]

    async def _value(self, query: str, *arguments: Any) -> Any:
        return (await self._rows(query, *arguments))[0][0]

    async def _rows(self, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        async with self._turn:
            try:
                return await self._connection.fetch(SQL[query], *arguments, timeout=ANSWER_SECONDS)
            except LOST as error:
                # also where the server only refused: whoever leads no more must not go on
                self._connection.terminate()
                raise LeadLost(
                    f"the session that held the lock is gone ({str(error) or type(error).__name__})"
                ) from error


def known_places(saved: Saved, ids: Mapping[str, UUID]) -> Mapping[TopicPartition, Place]:
    """What was saved, as far as the topics are still the same; raises TopicReplaced."""
    for at, (topic_id, _) in saved.items():
        if topic_id != ids[at.topic]:
            raise TopicReplaced(at.topic)
    return {at: place for at, (_, place) in saved.items()}
