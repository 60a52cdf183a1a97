"""The ledger's rows: in order, whole, and exactly what was acknowledged and what the system says by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import asyncpg

from tests.faults.checker.findings import Findings
from tests.faults.checker.history import Past

ROWS = """
select position, stream, version, event_id::text as event_id, type, home, recorded_at, command_id::text as command_id,
    command_mac, body
from ledger.event order by position
"""

EVERYWHERE = "*"
"""The home of what goes to everybody."""

SAID_BY_THE_SYSTEM = {
    "clock.ticked",
    "level.level_changed",
    "level.response_overdue",
    "level.response_escalated",
    "level.coverage_lost",
    "level.coverage_restored",
    "alert.issued",
    "alert.silence_announced",
    "reporter.checked_in",
    "custody.subject_key_destroyed",
    "custody.log_checkpointed",
}


@dataclass(frozen=True)
class Row:
    """One event as the ledger holds it, and its envelope."""

    position: int
    stream: str
    version: int
    event_id: str
    type: str
    home: str
    recorded_at: datetime
    command_id: str
    command_mac: bytes
    body: bytes
    wire: dict[str, Any]

    @cached_property
    def at(self) -> str:
        """When it was recorded, as the wire spells it: texts of this kind are in the order of their moments."""
        return self.recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    @property
    def bytes_on_the_wire(self) -> bytes:
        """Sequence (19 digits) and time stand in front; the rest is as it is stored."""
        return b'{"sequence":"%019d","time":"%s",' % (self.position, self.at.encode()) + self.body[1:]


async def read(connection: asyncpg.Connection[asyncpg.Record]) -> list[Row]:
    """Every row, in order of position."""
    return [Row(**dict(record), wire=json.loads(record["body"])) for record in await connection.fetch(ROWS)]


def judge(rows: Sequence[Row], past: Past, found: Findings) -> None:
    """Order and wholeness first, then who sent what."""
    last = rows[-1].position if rows else 0
    if last < past.head_at_the_end:
        found.add(
            "ledger_shorter",
            f"The ledger ended at {past.head_at_the_end} when the run did, and ends at {last} now.",
            last + 1,
        )
    _in_order(rows, found)
    _as_sent(rows, past, found)


def _in_order(rows: Sequence[Row], found: Findings) -> None:
    versions: dict[str, int] = {}
    homes: dict[str, str] = {}
    macs: dict[str, bytes] = {}
    seen: set[str] = set()
    before: Row | None = None
    for number, row in enumerate(rows, 1):
        if row.position != number:
            found.add("position_gap", f"Position {number} is not there; {row.position} follows.", number)
            break
    for row in rows:
        at = row.position
        if before is not None and row.recorded_at < before.recorded_at:
            found.add("time_goes_back", f"Position {at} was recorded before the one in front of it.", at)
        if row.version != versions.get(row.stream, 0) + 1:
            found.add("stream_versions", f"{row.stream} has {row.version} after {versions.get(row.stream, 0)}.", at)
        if homes.setdefault(row.stream, row.home) != row.home:
            found.add("stream_left_its_home", f"{row.stream} went from {homes[row.stream]} to {row.home}.", at)
        if macs.setdefault(row.command_id, row.command_mac) != row.command_mac:
            found.add("command_with_two_bodies", f"Command {row.command_id} has two bodies.", at)
        if row.event_id in seen:
            found.add("event_twice", f"Event {row.event_id} is there twice.", at)
        envelope = row.wire
        stated = (envelope["id"], envelope["subject"], envelope["streamversion"], envelope["type"])
        if stated != (row.event_id, row.stream, row.version, row.type) or envelope["partitionkey"] != row.home:
            found.add("envelope_differs", f"What position {at} says of itself is not what its row says.", at)
        seen.add(row.event_id)
        versions[row.stream], before = row.version, row


def _as_sent(rows: Sequence[Row], past: Past, found: Findings) -> None:
    by_position = {row.position: row for row in rows}
    written: dict[str, set[int]] = {}
    for each in rows:
        written.setdefault(each.command_id, set()).add(each.position)
    told: dict[int, int] = {}
    for one in past.acknowledged:
        events = one.accepted[0]
        commands = set()
        for event in events:
            at = event["position"]
            row = by_position.get(at)
            stated = (event["id"], event["stream"], event["version"])
            if row is None or (row.event_id, row.stream, row.version) != stated:
                found.add("acknowledged_but_lost", f"Command {one.n} was told {stated} at {at}.", at)
                continue
            commands.add(row.command_id)
            if (other := told.setdefault(at, one.n)) != one.n:
                found.add("one_event_for_two_commands", f"{at} was told of commands {other} and {one.n}.", at)
        if len(commands) > 1:
            found.add("command_torn_apart", f"Command {one.n} stands under several ids.")
        whole = {position for command in commands for position in written[command]}
        if commands and whole != {event["position"] for event in events}:
            found.add("command_more_than_once", f"Command {one.n} wrote {sorted(whole)}.", min(whole))
    for row in rows:
        if row.position <= past.head or row.position in told or row.event_id in past.operator:
            continue
        if row.type in SAID_BY_THE_SYSTEM and row.wire["actorrole"] == "system":
            continue
        found.add("sent_by_nobody", f"{row.type} at {row.position} was never acknowledged to anybody.", row.position)
