"""What people ask of the notary: how it stands, and by which keys the log is verified."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import asyncpg

from services.database.lost import ANSWER_SECONDS, LOST
from services.ledger.ledger import unavailable
from services.notary.checkpoint import Checkpoint
from services.notary.halts import NoCheckpoint
from services.notary.keys import LogKeys, Unnamed
from services.notary.lead import SQL as LEAD
from services.notary.notary import default_origin
from services.notary.signed import SQL as SIGNED
from services.notary.signed import SignedSizes
from services.settings import Settings
from services.tlog.notes import Signature, Verifier

SQL = {**LEAD, **SIGNED}


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the tree is, what is signed of what is on Kafka, and why nothing is signed any more, if so."""

    tree: int
    acknowledged: int
    checkpoint: Checkpoint | None
    signed_at: datetime | None
    halted_because: str | None


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness, as the notary knows it: the last checkpoint that it cosigned, when by its own clock, and why it
    cosigned none of what it was asked about since. `asked` is none any more who was left out of the file."""

    key: Verifier
    url: str
    asked: bool
    size: int
    line: str
    cosigned_at: datetime | None
    refused_because: str | None
    refused_since: datetime | None


async def cosigners(dsn: str) -> list[Cosigner]:
    """Every witness that was ever asked, those who are asked now first; raises LedgerUnavailable."""
    return [
        Cosigner(
            Verifier.parse(row["key"]),
            row["url"],
            row["asked"],
            row["size"] or 0,
            row["line"] or "",
            _cosigned_at(row["line"]) if row["line"] else None,
            row["refused_because"],
            row["refused_since"],
        )
        for row in await _rows(dsn, "witnesses")
    ]


def _cosigned_at(line: str) -> datetime | None:
    """When a witness cosigned, as it says; None for a moment that no calendar has."""
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(Signature.parse(line.rstrip("\n")).seconds, UTC)
    return None


class Cosignature(NamedTuple):
    """That a witness cosigned the checkpoint of a size; `line` is how."""

    size: int
    key: str
    line: str


async def cosignatures(dsn: str) -> list[Cosignature]:
    """All that were kept, by size; raises LedgerUnavailable."""
    return [Cosignature(*row) for row in await _rows(dsn, "all_cosignatures")]


async def standing(dsn: str) -> Standing:
    """As any role that reads the ledger; raises LedgerUnavailable, NoCheckpoint."""
    row = (await _rows(dsn, "standing"))[0]
    body = row["checkpoint"]
    return Standing(
        row["tree"],
        row["acknowledged"],
        Checkpoint.recorded(body, row["signed_in"]) if body is not None else None,
        row["signed_at"],
        row["halted_because"],
    )


async def origin_of(settings: Settings, dsn: str) -> str:
    """What the log is called. Raises Unnamed where it has no event yet, LedgerUnavailable."""
    if settings.log_origin is not None:
        return settings.log_origin
    rows = await _rows(dsn, "first")
    if not rows:
        raise Unnamed("The log has no event yet, and is called by its first one: begin it by `intabaza begin`.")
    return default_origin(rows[0][0])


async def own_keys(settings: Settings, dsn: str) -> list[Verifier]:
    """The keys of this stack's log, the oldest first; the last one signs. Raises LogKeysRefused, LedgerUnavailable."""
    return LogKeys.read(settings.log_keys).verifiers(await origin_of(settings, dsn))


async def believed_keys(settings: Settings, dsn: str) -> list[Verifier]:
    """Those of them by which it is verified as it stands: all where its last checkpoint is none. Raises the same."""
    try:
        last = (await standing(dsn)).checkpoint
    except NoCheckpoint:
        last = None
    return LogKeys.read(settings.log_keys).believed(await origin_of(settings, dsn), last.note if last else None)


async def published_keys(file: Path, signed: SignedSizes) -> list[Verifier]:
    """Those by which the log is verified as it stands, from a file of public halves; the oldest first.

    Raises NothingSigned, LogKeysRefused, LedgerUnavailable.
    """
    last = await signed.newest()
    return LogKeys.read_public(file).believed(last.stated.origin, last.note)


async def _rows(dsn: str, query: str) -> list[asyncpg.Record]:
    try:
        connection = await asyncpg.connect(dsn, timeout=ANSWER_SECONDS)
        try:
            return await connection.fetch(SQL[query], timeout=ANSWER_SECONDS)
        finally:
            connection.terminate()
    except LOST as error:
        raise unavailable(error) from error
