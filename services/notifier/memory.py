"""What is known of a subscriber where it stands: what it believes, what is held back for it, which silences stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """`tried` are positions after the one it has come to that were sent in this round, and whether they were delivered;
    `let_go` is what was held back, has been replaced, and is not written down as such."""

    believed: Mapping[About, Believed]
    held: Mapping[About, PublicEvent]
    let_go: Sequence[LetGo]
    silences: Mapping[UUID, Silence]
    tried: Mapping[int, bool]

    @classmethod
    async def read(cls, connection: Connection, row: asyncpg.Record) -> Memory:
        """Of the subscriber of this row, in the transaction that read it."""
        subscriber_id, position = row["subscriber_id"], row["position"]
        believed = await _believed(connection, subscriber_id, position)
        held = await connection.fetch(SQL["held"], subscriber_id, position)
        announced = [_event(one) for one in await connection.fetch(SQL["silences"], position)]
        tried = await connection.fetch(SQL["tried"], subscriber_id, row["resends"], position)
        return cls(
            believed,
            {About(unit, mode): _event(one) for at, unit, mode, *one in held if at is None},
            [LetGo(unit, mode, position, at) for at, unit, mode, position, *_ in held if at is not None],
            {UUID(one.data["silence_id"]): Silence.of(one) for one in announced},
            {one["position"]: one["delivered"] for one in tried},
        )


async def _believed(connection: Connection, subscriber_id: UUID, position: int) -> Mapping[About, Believed]:
    """What it believes where it has come to, of units of which something later was tried too."""
    last = _by_unit(await connection.fetch(SQL["believed"], subscriber_id))
    here = {about: one for about, one in last.items() if one.position <= position}
    if later := {about.unit for about in last.keys() - here.keys()}:
        before = _by_unit(await connection.fetch(SQL["believed_at"], subscriber_id, position + 1, list(later)))
        here = before | here
    return here


def _by_unit(rows: Iterable[asyncpg.Record]) -> dict[About, Believed]:
    return {About(unit, mode): Believed(at, level, stands) for unit, mode, at, level, stands in rows}


def _event(columns: object) -> PublicEvent:
    return PublicEvent.of(Recorded(*columns))  # type: ignore[misc]
