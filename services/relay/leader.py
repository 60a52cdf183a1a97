"""What the leading relay saves and asks, on the session that holds its lock (services/database/lead)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg
from kafka import TopicPartition

from projections.sql import named_queries
from services.database.lead import LeadSession
from services.ledger.postgres import CLOCK_SET
from services.relay.chain import Place
from services.relay.halts import TopicReplaced
from services.relay.tail import Foreign

SQL = named_queries("services.relay", "relay.sql")

Saved: TypeAlias = Mapping[TopicPartition, tuple[UUID, Place]]


class Leadership(LeadSession):
    """The relay's own: what is on Kafka is saved here, and the ledger's clock is heard of."""

    application = "intabaza relay"
    queries = SQL

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        super().__init__(connection)
        self._clock_set = asyncio.Event()

    async def listen(self) -> None:
        await self._connection.add_listener(CLOCK_SET, lambda *_: self._clock_set.set())

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


def known_places(saved: Saved, ids: Mapping[str, UUID]) -> Mapping[TopicPartition, Place]:
    """What was saved, as far as the topics are still the same; raises TopicReplaced."""
    for at, (topic_id, _) in saved.items():
        if topic_id != ids[at.topic]:
            raise TopicReplaced(at.topic)
    return {at: place for at, (_, place) in saved.items()}
