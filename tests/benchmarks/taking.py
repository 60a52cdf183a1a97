"""Evidence packs out of a long history: how long one takes, how large it is, and how long `verify.py` reads it."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from events.custody import ViewPurpose
from events.vocabulary import Role
from services import clock
from services.database.pools import as_it_was
from services.evidence.taking import Wanted
from services.ledger.postgres import PostgresLedger
from services.notary.tree import Tree
from services.settings import PREFIX, Settings
from services.tlog.merkle import hash_leaf
from services.tlog.offline.verify import keys_said, verify
from services.wiring import open_taking
from tests.benchmarks.servers import Database, servers
from tests.benchmarks.verifying import KEY, fill_ledger
from tests.support.checkpoints import append_checkpoint

PACKS = 50
AT_ONCE = 1_000

FROZEN = "update ledger.state set simulated = true, simulated_clock = (select max(recorded_at) from ledger.event)"
"""The ledger's clock stands where its history ends, years ago, so that appends are taken."""


def compare(events: int) -> None:
    """Take cases away that lie anywhere in a history of so many events, all of it signed."""
    with servers() as running:

        async def on_a_database() -> None:
            async with running.database() as database:
                await _compare(database, events)

        asyncio.run(on_a_database())


async def _compare(database: Database, events: int) -> None:
    checkpoint = await fill_ledger(database, events)
    owner = await asyncpg.connect(database.dsn("postgres"))
    await owner.execute(FROZEN)
    cases = [UUID(row[0]) for row in await owner.fetch(
        "select substr(stream, 6) from ledger.event where stream like 'case/%' group by 1"
        " having bool_or(type = 'case.closed') order by min(position)"
    )]  # fmt: skip
    await owner.close()
    assert cases, f"no case is over within {events:,} events: take more"
    ledger = await PostgresLedger.connect(database.dsn("intabaza_app"), clock.now)
    await _grow(database, ledger, events)
    await append_checkpoint(ledger, checkpoint)
    await ledger.close()
    drawn = Random(events).sample(cases, min(PACKS, len(cases)))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rows = await _take(_settings(database, Path(folder)), drawn, Path(folder))
    print(f"{events:,} events, {len(cases):,} cases that are over, {len(rows)} of them taken away")
    for what, column, unit in (("events in a pack", 0, ""), ("written", 1, "ms"), ("size", 2, "KiB"),
                               ("verify.py", 3, "ms")):  # fmt: skip
        ordered = sorted(row[column] for row in rows)
        print(f"{what:<20} p50 {ordered[len(ordered) // 2]:8.1f}   most {ordered[-1]:8.1f} {unit}", flush=True)


async def _grow(database: Database, ledger: PostgresLedger, events: int) -> None:
    """The tree over all of it."""
    async with asyncpg.create_pool(database.dsn("intabaza_notary"), min_size=1, max_size=1, reset=as_it_was) as pool:
        tree = Tree(pool)
        for size in range(0, events, AT_ONCE):
            await tree.extend(size, [hash_leaf(row.wire()) for row in await ledger.read(size, AT_ONCE)])


async def _take(settings: Settings, cases: Sequence[UUID], folder: Path) -> list[tuple[float, ...]]:
    """Of each pack its events, milliseconds to write it, KiB, and milliseconds to verify it."""
    rows: list[tuple[float, ...]] = []
    keys, pack = keys_said([KEY.vkey]), folder / "pack.zip"
    async with open_taking(settings) as (desk, taking, approvals):
        for case_id in cases:
            wanted = Wanted(case_id, uuid4(), Role.AUDITOR, ViewPurpose.AUDIT)
            began = time.perf_counter()
            taken, _ = await taking.take_away(wanted, lambda _: True, desk, approvals, pack)
            written = time.perf_counter()
            assert taken.events == taken.signed, taken
            assert verify(pack, keys, [], None).startswith(f"Verified: {taken.events} events")
            verified = time.perf_counter()
            rows.append((
                float(taken.events), (written - began) * 1e3, pack.stat().st_size / 1024, (verified - written) * 1e3
            ))  # fmt: skip
    return rows


def _settings(database: Database, folder: Path) -> Settings:
    key = folder / "master.key"
    key.write_text(secrets.token_urlsafe(32))
    key.chmod(0o600)
    environment: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in database.environment(folder).items()
        if name.startswith(PREFIX)
    }
    return Settings.model_validate(environment | {"vault_master_key_file": str(key)})
