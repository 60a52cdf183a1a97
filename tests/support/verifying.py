"""A short history on a ledger and on Kafka, with checkpoints, and what `audit verify` says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from services.audit.verifying import Asked, verify
from services.tlog.offline.verify import Verdict, keys_said, read_checkpoints, witnesses_said
from tests.support.checkpoints import checkpoint
from tests.support.ledgers import an_alert
from tests.support.relays import HOMES, RelayTrial
from tests.support.signed_logs import LogKey

KEY = LogKey("one")
S = TypeVar("S")


async def judge(
    trial: RelayTrial,
    *keys: LogKey,
    kept: Sequence[str] = (),
    with_ledger: bool = True,
    witness: LogKey | None = None,
) -> tuple[int, str]:
    """Status and sentence on the servers of a trial."""
    stated = [one for text in kept for one in read_checkpoints(text, "kept", 2)]
    dsn = trial.app_dsn if with_ledger else None
    try:
        demanded = witnesses_said([witness.vkey] if witness else [])
        given = keys_said([key.vkey for key in keys])
        verified = await verify(Asked(trial.bootstrap, dsn, given, stated, witnesses=demanded))
    except Verdict as verdict:
        return verdict.status, str(verdict)
    return 0, verified.sentence(with_ledger)


async def filled(trial: RelayTrial, *signers: Sequence[LogKey], text: str = "") -> list[str]:
    """Some events, alerts among them, a checkpoint by each of these, and a few more, all on Kafka; the checkpoints."""
    signed = []
    async with trial.relaying():
        for round_, keys in enumerate(signers or ([KEY], [KEY])):
            await trial.append(50, text=text)
            for home in HOMES[:3]:
                await trial.submit(an_alert(home, round_ + 1))
            signed.append(await checkpoint(trial.ledger, *keys))
        await trial.until_acknowledged(await trial.append(10, text=text))
    return signed


async def in_turn(work: Callable[[S], None], shares: Mapping[str, S], look: Callable[[], Awaitable[None]]) -> None:
    """Shares of a work in this process: a process for each would slow down whoever verifies hundreds of times."""
    for share in shares.values():
        await asyncio.to_thread(work, share)
    await look()
