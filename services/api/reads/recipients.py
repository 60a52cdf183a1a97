"""To whom a case can be referred: the register of recipients. They are organisations, never private people."""

from __future__ import annotations

from typing import Any

from events.catalogue import read
from events.reference import RecipientRegistered
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.shown import no_such_recipient, recipient_in_the_address
from services.api.reads.sql import READS_SQL
from services.ledger.ledger import Recorded

SERVES = Parameter("unit", "Only who serves this unit, or one that it lies in.")
ACTIVE = Parameter("active", "Only who takes referrals now.", {"type": "boolean"})


async def recipients(asked: Asked) -> Reply:
    """Every recipient's entry as it stands, in order of their ids."""
    unit = asked.one("unit")
    over = None
    if unit is not None:
        asked.country.gazetteer.unit(unit)
        over = {unit, *asked.country.gazetteer.ancestors(unit)}
    active = asked.yes("active")
    rows = [Recorded(*row) for row in await asked.office.projections.fetch(READS_SQL["recipients"])]
    entries = [(row, entry) for row in rows if isinstance(entry := read(row.wire()).data, RecipientRegistered)]
    told = [
        _entry(asked, row, entry)
        for row, entry in entries
        if (over is None or not over.isdisjoint(entry.serves)) and (entry.active or not active)
    ]
    return Reply({"recipients": told})


async def recipient(asked: Asked) -> Reply:
    """One recipient's entry as it stands."""
    rows = await asked.office.ledger.read_stream(f"reference/recipient-{recipient_in_the_address(asked)}")
    entry = read(rows[-1].wire()).data if rows else None
    if not isinstance(entry, RecipientRegistered):
        raise no_such_recipient()
    return Reply(_entry(asked, rows[-1], entry), position=rows[-1].position)


def _entry(asked: Asked, row: Recorded, entry: RecipientRegistered) -> dict[str, Any]:
    written = entry.wire_data()
    return written | {
        "serves": [asked.country.named(unit) for unit in entry.serves],
        "version": row.version,
        "registered_at": row.recorded_at,
    }


READS = (
    Read("/v1/recipients", "read.recipients", recipients, (SERVES, ACTIVE)),
    Read("/v1/recipients/{recipient}", "read.recipients", recipient),
)
