"""What is known of a subscriber where it stands: what it believes, what is held back for it, which silences stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from projections.projection import Connection
from services.ledger.ledger import Recorded
from services.notifier.deciding import About, Believed, Silence
from services.notifier.lead import SQL, LetGo
from services.subscribers.filters import PublicEvent


@dataclass(frozen=True, slots=True)
class Memory:
    """`delivered` are positions after the one it has come to that it was sent in this round, in notices of several;
    `let_go` is what was held back, has been replaced, and is not written down as such."""

    believed: Mapping[About, Believed]
    held: Mapping[About, PublicEvent]
    let_go: Sequence[LetGo]
    silences: Mapping[UUID, Silence]
    delivered: Set[int]

    @classmethod
    async def read(cls, connection: Connection, row: asyncpg.Record) -> Memory:
        """Of the subscriber of this row, in the transaction that read it."""
        subscriber_id, position = row["subscriber_id"], row["position"]
        believed = await connection.fetch(SQL["believed"], subscriber_id)
        held = await connection.fetch(SQL["held"], subscriber_id)
        announced = [_event(one) for one in await connection.fetch(SQL["silences"], position)]
        delivered = await connection.fetch(SQL["delivered"], subscriber_id, row["resends"], position)
        return cls(
            {About(unit, mode): Believed(at, level, stands) for unit, mode, at, level, stands in believed},
            {About(unit, mode): _event(one) for at, unit, mode, *one in held if at is None},
            [LetGo(unit, mode, position, at) for at, unit, mode, position, *_ in held if at is not None],
            {UUID(one.data["silence_id"]): Silence.of(one) for one in announced},
            {one["position"] for one in delivered},
        )


def _event(columns: object) -> PublicEvent:
    return PublicEvent.of(Recorded(*columns))  # type: ignore[misc]
