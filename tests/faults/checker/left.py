"""What a run left behind, read once everything has come through: a history, a ledger, two topics, tables."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from tests.faults.checker import history, ledger, said, tables
from tests.faults.checker.findings import NotModelled
from tests.faults.checker.history import Past
from tests.faults.checker.ledger import Row
from tests.faults.checker.records import Topics

COME_SECONDS = 20.0
"""A tick may have been recorded just now."""
LOOK_SECONDS = 0.2
LIVE = ("alert_level", "case_timeline", "case_board", "review_queue", "referral_board", "coverage", "silences")

AT_REST = """
select (select acknowledged from relay.progress) >= (select coalesce(max(position), 0) from ledger.event)
    and not exists (
        select from relay.partition as sent
        cross join unnest($1::text[]) as live (place)
        left join projections.watermark as folded using (place, partition)
        where sent.topic = 'events.v1' and coalesce(folded.last_position, 0) < sent.last_position)
"""
PARKED = "select place, key, position from projections.parked where place = any ($1::text[]) order by place, key"
VOID = "select projection, key, position from projections.waiver where void"
SIGNS = "select 'reporter/' || reporter_id, day::text, channel from vault.held_sign"


@dataclass
class Left:
    """All of it. `void`: waivers that a projection met too late, as it says itself; `parked`: what it waits with;
    `signs_held`: stream, day and channel of each check-in that waits for its day to be over."""

    past: Past
    rows: list[Row]
    levels: list[asyncpg.Record]
    held: tables.Held
    topics: Topics = field(default_factory=dict)
    void: set[tuple[str, str, int]] = field(default_factory=set)
    parked: list[tuple[str, str, int]] = field(default_factory=list)
    signs_held: set[tuple[str, str, str]] = field(default_factory=set)

    def counted_by(self, projection: str) -> list[Row]:
        """Everything but what was waived for a projection. Raises NotModelled."""
        for place, key, position in self.parked:
            if place == projection:
                raise NotModelled(f"{place} waits with {key} at position {position}")
        waived = {position: key for _, key, position in self._waivers(projection)}
        for row in self.rows:
            if row.position in waived and row.home == ledger.EVERYWHERE:
                raise NotModelled(f"position {row.position} goes to everybody and was waived for {projection}")
        return [row for row in self.rows if row.position not in waived]

    def _waivers(self, projection: str) -> Iterator[tuple[str, str, int]]:
        """Those that count: of what had happened, and was not taken already."""
        for row in self.rows:
            if row.type == "reference.event_waived" and row.wire["data"]["projection"] == projection:
                data: dict[str, Any] = row.wire["data"]
                waiver = (projection, data["key"], data["position"])
                if waiver not in self.void and data["position"] < row.position:
                    yield waiver


async def read(file: Path, dsn: str) -> Left:
    """The history, and ledger and tables of one moment: when all has come through, or after as long as that takes."""
    past = history.read(file)
    connection = await asyncpg.connect(dsn)
    deadline = time.monotonic() + COME_SECONDS
    try:
        while True:
            async with connection.transaction(isolation="repeatable_read"):
                if await connection.fetchval(AT_REST, LIVE) or time.monotonic() > deadline:
                    return Left(
                        past,
                        await ledger.read(connection),
                        list(await connection.fetch(said.HISTORY)),
                        await tables.read(connection),
                        void={tuple(one) for one in await connection.fetch(VOID)},
                        parked=[tuple(one) for one in await connection.fetch(PARKED, LIVE)],
                        signs_held={tuple(one) for one in await connection.fetch(SIGNS)},
                    )
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await connection.close()
