"""One process reads the ledger: each row's columns against its event, and the leaf of each position."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedWriter
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from events.envelope import NotAnEvent, splice_at
from services.audit.findings import Bad, Found, Progress
from services.ledger.copied import Copied, WireTimes, copy_out
from services.processors.collecting import collect_rarely
from services.tlog.offline.verify import ALTERED, CHECKPOINTED, Verdict, read_checkpoints

REPEATED = ("id", "type", "partitionkey", "commandid", "commandmac")
"""Attributes of an event that its row repeats in columns, beside its stream and version."""
_repeated = itemgetter(*REPEATED)


@dataclass(frozen=True, slots=True)
class LedgerShare:
    """The ledger up to a position; what was recorded up to `before` was there before Kafka was looked at."""

    number: int
    dsn: str
    before: int
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
    found, progress = Found(), Progress(share.folder / "progress", share.number)
    with share.leaves.open("wb") as leaves:
        reading = _Reading(found, progress, leaves, share.before)
        asyncio.run(copy_out(share.dsn, share.to, reading.take))
    found.write(share.found)


class _Reading:
    """The rows, in order; only the first fault is kept, as the others mostly follow from it."""

    def __init__(self, found: Found, progress: Progress, leaves: BufferedWriter, before: int) -> None:
        self._found, self._progress, self._leaves, self._before = found, progress, leaves, before
        self._streams: dict[str, int] = {}
        self._written = WireTimes()

    def take(self, rows: Iterator[Copied]) -> None:
        """The next rows."""
        found, leaves, streams = self._found, self._leaves, self._streams
        last = found.last
        for row in rows:
            position, version, _, _, stream, _, _ = row
            if position != last + 1:
                found.bad.append(Bad(last + 1, "the ledger lacks it"))
                leaves.seek(32 * (position - 1))
            last = position
            leaves.write(self._leaf(row))
            due = streams.get(stream, 0) + 1
            if version != due:
                what = f"the ledger has it as number {version} of {stream}, where {due} is due"
                found.bad.append(Bad(position, what))
            streams[stream] = version
        found.last = found.records = last
        self._progress.tell(last)
        del found.bad[1:]

    def _leaf(self, row: Copied) -> bytes:
        position, version, splice_version, recorded_at, stream, repeated, body = row
        try:
            wire = splice_at(body, position, self._written(recorded_at), splice_version)
            event = orjson.loads(body)
            if (
                event["subject"] != stream
                or event["streamversion"] != version
                or "\n".join(_repeated(event)) != repeated
            ):
                self._found.bad.append(
                    Bad(position, f"the ledger's row says another {_differing(event, row)} than the event in it")
                )
            if event["type"] == CHECKPOINTED and position <= self._before:
                self._found.signed = max(self._found.signed, _size_of(event["data"]["note"]))
        except (orjson.JSONDecodeError, NotAnEvent, KeyError, TypeError, OverflowError):
            self._found.bad.append(Bad(position, "the ledger's row holds no event that this program can read"))
            return sha256(b"\0" + body).digest()
        return sha256(b"\0" + wire).digest()


def _size_of(note: str) -> int:
    """What a checkpoint says it covers; 0 for what is none, which is judged where it stands on Kafka."""
    try:
        [one] = read_checkpoints(note, "", ALTERED)
    except (Verdict, ValueError):
        return 0
    return one.size


def _differing(event: dict[str, Any], row: Copied) -> str:
    """Which of an event's attributes is not as its row says."""
    _, version, _, _, stream, repeated, _ = row
    stated = {"subject": stream, "streamversion": version} | dict(zip(REPEATED, repeated.split("\n"), strict=False))
    return next((name for name, value in stated.items() if event[name] != value), "attribute")
