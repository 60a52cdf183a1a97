"""What a pack holds of each event: itself, the proof that it was signed, its row of who looked, its texts in clear."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from events.vocabulary import wire_time
from services.audit.zipping import PartsBeside, Zip
from services.evidence.clear import ClearTexts
from services.evidence.gathering import Fetch, Gathered, rows_of
from services.ledger.ledger import Recorded
from services.notary.proving import Proving
from services.notary.signed import Signed
from services.tlog.proofs import inclusion_text

VIEWED = "viewed.csv"
VIEWED_AS = ("position", "recorded_at", "type", "role", "actorref", "onbehalfof", "record", "number", "what", "fields",
             "purpose", "approved_by")  # fmt: skip


@dataclass(slots=True)
class Written:
    """What was written: types by how many there are, their schemas, and how many events were signed."""

    types: dict[str, int]
    schemas: set[str]
    signed: int

    def take(self, row: Recorded) -> Iterator[Sequence[object]]:
        """One more event; the row of the table of views, where it is one."""
        event = orjson.loads(row.body)
        self.types[row.type] = self.types.get(row.type, 0) + 1
        self.schemas.add(f"{row.type}/{event['dataschema'].rpartition(':')[2]}.schema.json")
        if row.stream.startswith("custody/"):
            yield _viewed(row, event)


async def write_events(
    fetch: Fetch, proving: Proving, zipped: Zip, case: Gathered, signed: Signed | None, clear: ClearTexts | None
) -> Written:
    """The events, a proof for each that was signed, who looked at them, and what leaves in clear."""
    size, written = signed.size if signed else 0, Written({}, set(), 0)
    events, proofs = PartsBeside(zipped.unnamed, "events", "jsonl"), PartsBeside(zipped.unnamed, "proofs", "txt")
    with io.TextIOWrapper(zipped.unnamed(VIEWED), encoding="utf-8", newline="") as viewed:
        table = csv.writer(viewed)
        table.writerow(VIEWED_AS)
        async for row in rows_of(fetch, case.positions):
            events.write(row.wire() + b"\n")
            if signed and row.position <= size:
                found = await proving.inclusion_under(row.position, signed)
                proofs.write(inclusion_text(row.position - 1, found.hashes, signed.note).encode())
                written.signed += 1
            table.writerows(written.take(row))
            if clear is not None:
                await clear.take(row)
    events.close()
    proofs.close()
    return written


def _viewed(row: Recorded, event: Mapping[str, Any]) -> Sequence[object]:
    data = event["data"]
    return (
        row.position,
        wire_time(row.recorded_at),
        row.type,
        event["actorrole"],
        event["actorref"],
        event.get("onbehalfof", ""),
        data.get("viewed") or data.get("exported", ""),
        data.get("viewed_version", ""),
        data.get("viewed_type", ""),
        " ".join(data.get("fields", ())) or (json.dumps(data["in_clear"]) if data.get("in_clear") else ""),
        data.get("purpose", ""),
        " ".join(data.get("approved_by", ())),
    )
