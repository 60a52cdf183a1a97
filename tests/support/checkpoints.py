"""Checkpoints of a ledger on trial: signed by a key of the test's, appended as an event like any other."""

from __future__ import annotations

import asyncpg

from events.custody import LogCheckpointed
from services.ledger.ledger import Ledger
from services.notary.checkpoint import HOME, STREAM
from tests.support.ledgers import by_nobody
from tests.support.signed_logs import LogKey, note


async def wires_of(ledger: Ledger) -> list[bytes]:
    """Every event's bytes, in order."""
    found: list[bytes] = []
    while rows := await ledger.read(len(found)):
        found.extend(row.wire() for row in rows)
    return found


async def checkpoint(ledger: Ledger, *keys: LogKey) -> str:
    """Sign what the ledger holds, and append that."""
    wires = await wires_of(ledger)
    signed = note(wires, len(wires), *keys)
    await append_checkpoint(ledger, signed)
    return signed


async def append_checkpoint(ledger: Ledger, signed: str) -> None:
    """Append a checkpoint, whatever it says."""
    version = len(await ledger.read_stream(STREAM))
    _, size, root, *_ = signed.split("\n")
    said = LogCheckpointed(size=int(size), root=root, note=signed)
    await ledger.append(by_nobody(STREAM, version + 1, said, home=HOME))


async def cosign(dsn: str, signed: str, *witnesses: LogKey, line: str = "") -> str:
    """Keep that witnesses cosigned a checkpoint, by their own lines or by this one; the checkpoint with it."""
    text, size = signed.partition("\n\n")[0] + "\n", int(signed.split("\n")[1])
    owner = await asyncpg.connect(dsn)
    try:
        for one in witnesses:
            await owner.execute(
                "insert into notary.witness (key, url, asked) values ($1, 'https://w.example', true)"
                " on conflict do nothing",
                one.vkey,
            )
            await owner.execute(
                "insert into notary.cosignature (witness, size, line)"
                " select number, $2, $3 from notary.witness where key = $1",
                one.vkey,
                size,
                line or one.line(text),
            )
    finally:
        await owner.close()
    return signed + "".join(line or one.line(text) for one in witnesses)
