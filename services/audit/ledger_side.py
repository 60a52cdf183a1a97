"""One process reads the ledger: each row's columns against its event, and the leaf of each position."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from events.envelope import NotAnEvent
from services import clock
from services.audit.findings import Bad, Found, Progress
from services.ledger.ledger import Recorded
from services.ledger.postgres import PostgresLedger
from services.processors.collecting import collect_rarely

ROWS = 4_000


@dataclass(frozen=True, slots=True)
class LedgerShare:
    """The ledger up to a position."""

    number: int
    dsn: str
    to: int
    folder: Path

    @property
    def leaves(self) -> Path:
        return self.folder / "ledger.leaves"

    @property
    def found(self) -> Path:
        return self.folder / "ledger.found"


def read_ledger(share: LedgerShare) -> None:
    """Read the ledger, and leave its leaves, 32 bytes each, nothing but zeros where a position is missing."""
    collect_rarely()
    asyncio.run(_read(share))


async def _read(share: LedgerShare) -> None:
    found, progress = Found(), Progress(share.folder / "progress", share.number)
    ledger = await PostgresLedger.connect(share.dsn, clock.now, readers=1)
    streams: dict[str, int] = {}
    try:
        with share.leaves.open("wb") as leaves:
            ahead = asyncio.ensure_future(ledger.read(0, ROWS))
            while rows := await ahead:
                ahead = asyncio.ensure_future(ledger.read(rows[-1].position, ROWS))
                for row in rows:
                    if row.position > share.to:
                        break
                    if row.position != found.last + 1:
                        found.bad.append(Bad(found.last + 1, "the ledger lacks it"))
                        leaves.seek(32 * (row.position - 1))
                    found.last = row.position
                    leaves.write(_leaf(row, found))
                    due = streams.get(row.stream, 0) + 1
                    if row.version != due:
                        what = f"the ledger has it as number {row.version} of {row.stream}, where {due} is due"
                        found.bad.append(Bad(row.position, what))
                    streams[row.stream] = row.version
                found.records = found.last
                progress.tell(found.last)
                del found.bad[1:]
                if found.last >= share.to:
                    break
            ahead.cancel()
    finally:
        await ledger.close()
    found.write(share.found)


def _leaf(row: Recorded, found: Found) -> bytes:
    try:
        wire = row.wire()
        event = orjson.loads(row.body)
        for name, stated in (
            ("subject", row.stream),
            ("streamversion", row.version),
            ("id", str(row.event_id)),
            ("type", row.type),
            ("partitionkey", row.home),
            ("commandid", str(row.command_id)),
            ("commandmac", row.command_mac.hex()),
        ):
            if event[name] != stated:
                found.bad.append(Bad(row.position, f"the ledger's row says another {name} than the event in it"))
    except (orjson.JSONDecodeError, NotAnEvent, KeyError, TypeError):
        found.bad.append(Bad(row.position, "the ledger's row holds no event that this program can read"))
        return sha256(b"\0" + bytes(row.body)).digest()
    return sha256(b"\0" + wire).digest()
