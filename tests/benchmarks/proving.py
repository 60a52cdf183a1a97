"""The tree of a long log: what it costs to extend it, and how long a proof takes, by itself and over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from random import Random

import asyncpg

from services import clock
from services.database.pools import as_it_was
from services.ledger.postgres import PostgresLedger
from services.notary.proving import Proving
from services.notary.tree import Tree
from tests.benchmarks.apis import api
from tests.benchmarks.servers import Database, servers
from tests.support.checkpoints import append_checkpoint
from tests.support.signed_logs import LogKey, signed_root

STEP = 1_000
"""Events between two checkpoints of a busy log."""
PROOFS = 300
MARK = "aim 50 ms"
KEY = LogKey("bench")


def compare(leaves: int) -> None:
    """Extend a tree to so many leaves, and prove something of it."""
    with servers() as running:

        async def on_a_database() -> None:
            async with running.database() as database:
                await _compare(database, leaves)

        asyncio.run(on_a_database())


async def _compare(database: Database, leaves: int) -> None:
    notary, app = (database.dsn(f"intabaza_{role}") for role in ("notary", "app"))
    ledger = await PostgresLedger.connect(app, clock.now)
    proving = await Proving.connect(app, ledger)
    async with asyncpg.create_pool(notary, min_size=1, max_size=1, reset=as_it_was) as pool:
        tree = Tree(pool)
        hashes = await _extend(tree, leaves)
        await append_checkpoint(ledger, signed_root(hashes, KEY))
        draw = Random(leaves)
        print(f"{leaves:,} leaves; {MARK}")
        await _time("a proof of inclusion, by the tree alone", lambda: tree.inclusion(draw.randrange(leaves), leaves))
        await _time(
            "one in a tree of any size", lambda: tree.inclusion(draw.randrange(999), draw.randint(1_000, leaves))
        )
        await _time("a proof of consistency", lambda: tree.consistency(draw.randint(1, leaves), leaves))
        await _time("inclusion, with its checkpoint, checked", lambda: proving.inclusion(draw.randint(1, leaves)))
        async with api(database) as asked:
            ask = asked.ask
            inclusion, goes_on = "/v1/log/proofs/inclusion", "/v1/log/proofs/consistency"
            await _time("… over HTTP", lambda: ask(inclusion, {"position": draw.randint(1, leaves)}))
            await _time("consistency over HTTP", lambda: ask(goes_on, {"from": draw.randint(1, leaves)}))
            await _time(
                "a tile over HTTP", lambda: ask(f"/v1/log/tile/0/{draw.randrange(min(999, leaves // 256)):03}", {})
            )
    await proving.close()
    await ledger.close()


async def _extend(tree: Tree, leaves: int) -> list[bytes]:
    """By a thousand at a time, with what the first and the last fifty took."""
    hashes = [sha256(number.to_bytes(8)).digest() for number in range(leaves)]
    took = []
    for size in range(0, leaves, STEP):
        began = time.perf_counter()
        await tree.extend(size, hashes[size : size + STEP])
        took.append(time.perf_counter() - began)
    for which, some in (("first", took[:50]), ("last", took[-50:])):
        print(f"{f'the {which} fifty extensions, by {STEP:,}':<42} {_said(some)}", flush=True)
    return hashes


async def _time(what: str, once: Callable[[], Awaitable[object]]) -> None:
    took = []
    for _ in range(PROOFS):
        began = time.perf_counter()
        await once()
        took.append(time.perf_counter() - began)
    print(f"{what:<42} {_said(took)}", flush=True)


def _said(took: list[float]) -> str:
    ordered = sorted(took)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1e3 for share in (0.5, 0.99))
    return f"p50 {p50:6.1f}   p99 {p99:6.1f} ms"
