"""A notary on trial that asks witnesses: a ledger and a tree in a database, a Kafka that holds what a test lets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from services import clock
from services.database.pools import as_it_was
from services.ledger.bell import Waiters
from services.ledger.postgres import PostgresLedger
from services.ledger.published import Published
from services.local.postgres import PostgresServer
from services.notary.asking import Post
from services.notary.keys import LogKeys
from services.notary.metrics import Metrics
from services.notary.notary import Means, Notary, Rhythm
from services.notary.operator import Cosigner, cosigners
from services.notary.posting import Posting
from services.notary.tree import Tree
from services.notary.witnesses import Named, Witness
from tests.support.ledgers import note

ORIGIN = "intabaza.invalid/when"
ENDS_SECONDS = 60.0
ANSWER_SECONDS = 2.0
LOOK_SECONDS = 0.02


class Kafka(Published):
    """Says that as much is on Kafka as a test lets it be."""

    def __init__(self) -> None:
        self._waiters = Waiters()
        self.asked = asyncio.Event()
        self.beyond_what = 0

    def holds(self, position: int) -> None:
        self._waiters.rise(position)

    async def beyond(self, position: int) -> int:
        self.beyond_what = position
        self.asked.set()
        return await self._waiters.wait_for(position + 1)


@asynccontextmanager
async def meanwhile(signs: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """It runs as long as the block does, and is cut off at its end; where it ended by itself, that fails."""
    running = asyncio.ensure_future(signs)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert running.cancelled(), running.exception()


@dataclass
class AskedLog:
    """A log, and whoever signs it and asks witnesses, as often as a test begins them."""

    dsn: str
    ledger: PostgresLedger
    tree: Tree
    keys: Path
    metrics: Metrics = field(default_factory=Metrics)

    @asynccontextmanager
    async def notary(
        self, *witnesses: Witness, post: Post | None = None, named: Named | None = None
    ) -> AsyncIterator[None]:
        """Meanwhile everything is signed at once, and these are asked; at the end it is as if it were killed."""
        kafka = Kafka()
        kafka.holds((await self.ledger.head()).position)
        async with Posting.opened(ANSWER_SECONDS) as posting:
            means = Means(
                self.ledger, kafka, self.tree, self.keys, ORIGIN, "urn:intabaza:test", Rhythm(0, 1_000), self.metrics,
                named or Named(None, witnesses), post or posting.post,
            )  # fmt: skip
            self._kafka = kafka
            async with meanwhile(Notary(self.dsn, means).run()):
                yield

    async def grow(self, events: int = 1) -> int:
        """Append so many events, which a notary that runs signs; the size of that checkpoint."""
        await self.ledger.append(note(count=events))
        size = (await self.ledger.head()).position
        self._kafka.holds(size)
        return size

    async def until(self, stand: Callable[[Sequence[Cosigner]], bool]) -> list[Cosigner]:
        """Wait until the witnesses stand so, and say how they stand then."""
        async with asyncio.timeout(ENDS_SECONDS):
            while not stand(found := await cosigners(self.dsn)):  # noqa: ASYNC110 - it is a database
                await asyncio.sleep(LOOK_SECONDS)
        return found


@asynccontextmanager
async def an_asked_log(postgres: PostgresServer, database: str, folder: Path) -> AsyncIterator[AskedLog]:
    """On a database with nothing in it."""
    dsn = postgres.dsn(database, "intabaza_notary")
    ledger = await PostgresLedger.connect(postgres.dsn(database, "intabaza_app"), clock.now, readers=2)
    LogKeys.find_or_make(folder / "log-keys.json")
    try:
        async with asyncpg.create_pool(dsn, min_size=1, max_size=3, reset=as_it_was) as pool:
            yield AskedLog(dsn, ledger, Tree(pool), folder / "log-keys.json")
    finally:
        await ledger.close()
