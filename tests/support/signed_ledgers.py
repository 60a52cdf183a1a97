"""A ledger on trial that grows and is signed: its tree follows it, and its checkpoints stand in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from services import clock
from services.database.pools import as_it_was
from services.ledger.ledger import Ledger
from services.ledger.postgres import PostgresLedger
from services.local.postgres import PostgresServer
from services.notary.proving import Proving
from services.notary.tree import Tree
from services.tlog.merkle import hash_leaf
from tests.support.checkpoints import checkpoint, wires_of
from tests.support.ledgers import note
from tests.support.signed_logs import LogKey

KEY = LogKey("one")


@dataclass
class SignedLedger:
    """A ledger, the tree that whoever signs extends, and the proofs that whoever reads is given."""

    ledger: PostgresLedger
    tree: Tree
    proving: Proving

    async def grow(self, events: int, text: str = "") -> None:
        """Append so many events in no more than a few groups."""
        while events > 0:
            await self.ledger.append(note(count=min(events, 500), text=text))
            events -= 500

    async def extend(self) -> list[bytes]:
        """Bring the tree to the ledger's end, and say what every leaf is of."""
        return await bring_to_its_end(self.tree, self.ledger)

    async def sign(self, key: LogKey = KEY) -> str:
        """Sign all that the ledger holds."""
        await self.extend()
        return await checkpoint(self.ledger, key)


async def bring_to_its_end(tree: Tree, ledger: Ledger) -> list[bytes]:
    """Extend a tree by what a ledger has more; the bytes of every event."""
    wires, size = await wires_of(ledger), await tree.size()
    await tree.extend(size, [hash_leaf(one) for one in wires[size:]])
    return wires


@asynccontextmanager
async def a_signed_ledger(postgres: PostgresServer, database: str) -> AsyncIterator[SignedLedger]:
    """On a database with nothing in it."""
    app, notary = (postgres.dsn(database, f"intabaza_{role}") for role in ("app", "notary"))
    ledger = await PostgresLedger.connect(app, clock.now, readers=2)
    async with (
        asyncpg.create_pool(notary, min_size=1, max_size=2, reset=as_it_was) as signing,
        asyncpg.create_pool(app, min_size=1, max_size=2, reset=as_it_was) as reading,
    ):
        yield SignedLedger(ledger, Tree(signing), Proving(reading, ledger))
    await ledger.close()
