"""Relays to try: in this process, or in processes of their own that a test kills, freezes and wakes."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from kafka import KafkaAdminClient

from events.vocabulary import EVERY_HOME
from services import clock
from services.ledger.ledger import Recorded, Submission
from services.ledger.postgres import PostgresLedger
from services.local.kafka import KafkaServer
from services.local.topics import ALERTS, EVENTS, make_topics
from services.log.clients import connected
from services.relay.relay import Relay
from tests.support.ledgers import note
from tests.support.load import steady_load
from tests.support.processes import Process
from tests.support.topics import Read, read_topic

PARTITIONS = 3
HOMES = tuple(f"bi:home:{number}" for number in range(1, 8))
"""Homes in every one of the three partitions."""


@dataclass
class RelayTrial:
    """A ledger, a broker with empty topics, and what a test does with them."""

    ledger: PostgresLedger
    owner: asyncpg.Connection[asyncpg.Record]
    owner_dsn: str
    app_dsn: str
    kafka: KafkaServer
    appended: int = 0

    @property
    def bootstrap(self) -> str:
        return self.kafka.bootstrap

    async def append(self, count: int, *, text: str = "", homes: Sequence[str] = (*HOMES, EVERY_HOME)) -> int:
        """Append so many events over these homes, and return the position of the last."""
        submissions = []
        for _ in range(count):
            submissions.append(note(home=homes[self.appended % len(homes)], text=text))
            self.appended += 1
        for at in range(0, count, 500):
            await asyncio.gather(*(self.ledger.append(each) for each in submissions[at : at + 500]))
        return (await self.ledger.head()).position

    async def submit(self, submission: Submission) -> int:
        accepted = await self.ledger.append(submission)
        return accepted.placed[-1].position

    def relay(self) -> Relay:
        return Relay(self.ledger, self.app_dsn, self.bootstrap, partitions=PARTITIONS, replication=1)

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[Relay]:
        """A relay in this process, while the block runs."""
        relay = self.relay()
        running = asyncio.ensure_future(relay.run())
        try:
            yield relay
            assert not running.done(), running.exception()
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    def under_load(self) -> AbstractAsyncContextManager[None]:
        """Somebody appends, all the time."""
        return steady_load(lambda: self.append(20), 0.01)

    def empty_topics(self) -> None:
        """Make the topics anew, behind everybody's back."""
        empty_topics(self.bootstrap)

    @contextmanager
    def process(self) -> Iterator[RelayProcess]:
        """A relay in a process of its own, killed at the end if it still runs."""
        with tempfile.TemporaryDirectory(prefix="relay-") as folder:
            process = RelayProcess(self, Path(folder))
            process.start()
            try:
                yield process
            finally:
                process.kill()

    async def acknowledged(self) -> int:
        return int(await self.owner.fetchval("select relay.acknowledged()"))

    async def until_acknowledged(self, position: int, seconds: float = 60) -> None:
        await self.until("select relay.acknowledged() >= $1", position, seconds=seconds)

    async def until(self, question: str, *arguments: object, seconds: float = 60) -> None:
        """Return as soon as the database says yes."""
        async with asyncio.timeout(seconds):
            while not await self.owner.fetchval(question, *arguments):  # noqa: ASYNC110 - a test's own question
                await asyncio.sleep(0.01)

    async def halted(self, seconds: float = 60) -> str:
        """The sentence that the relay halts with, as soon as it does."""
        await self.until("select halted_because is not null from relay.progress", seconds=seconds)
        return str(await self.owner.fetchval("select halted_because from relay.progress"))

    async def rows(self) -> list[Recorded]:
        found: list[Recorded] = []
        while rows := await self.ledger.read(found[-1].position if found else 0):
            found.extend(rows)
        return found

    def read(self, topic: str = EVENTS, *, foreign: bool = False) -> Read:
        return read_topic(self.bootstrap, topic, foreign=foreign)

    async def assert_whole(self, *, foreign: bool = False) -> Read:
        """Every event of the ledger is on the topic, with the ledger's bytes, once for who keeps the contract."""
        read = await asyncio.to_thread(self.read, foreign=foreign)
        rows = await self.rows()
        assert read.values == {row.position: row.wire() for row in rows}
        everywhere = [row.position for row in rows if row.home == EVERY_HOME]
        for number in range(PARTITIONS):
            assert sorted(set(read.positions(number)) & set(everywhere)) == everywhere
        taken = sum(len(records) for records in read.taken.values())
        assert taken == len(rows) + (PARTITIONS - 1) * len(everywhere)
        return read

    def cut(self, partition: int, records: int, topic: str = EVENTS) -> None:
        """Cut the end of a partition's segment on a broker that is down, batch by batch, as a lost disk cache would."""
        cut_segment(self.kafka.data / f"{topic}-{partition}", records)


def cut_segment(folder: Path, batches: int) -> int:
    """Drop the last batches of a partition's only segment; returns how many are left."""
    [segment] = sorted(folder.glob("*.log"))
    data = segment.read_bytes()
    starts = []
    at = 0
    while at + 12 <= len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "big")
        if size == 0:
            break
        starts.append(at)
        at += 12 + size
    kept = max(len(starts) - batches, 0)
    segment.write_bytes(data[: starts[kept] if kept < len(starts) else at])
    for beside in [*folder.glob("*.index"), *folder.glob("*.timeindex"), *folder.glob("*.snapshot")]:
        beside.unlink()
    return kept


class RelayProcess(Process):
    """`python -m services.relay` on a trial's servers."""

    def __init__(self, trial: RelayTrial, folder: Path) -> None:
        environment = {
            "INTABAZA_POSTGRES_DSN": trial.owner_dsn,
            "INTABAZA_APP_DSN": trial.app_dsn,
            "INTABAZA_VAULT_DSN": trial.app_dsn,  # never used by a relay, and asked for beside the others
            "INTABAZA_PROJECTOR_DSN": trial.app_dsn,
            "INTABAZA_NOTIFIER_DSN": trial.app_dsn,
            "INTABAZA_NOTARY_DSN": trial.app_dsn,
            "INTABAZA_KAFKA_BOOTSTRAP": trial.bootstrap,
            "INTABAZA_KAFKA_REPLICATION": "1",
            "INTABAZA_PARTITIONS": str(PARTITIONS),
        }
        super().__init__(folder, environment, "services.relay")

    @property
    def has_led(self) -> bool:
        """Whether it leads, or did."""
        return "relay_leads " in self.said or "relay_leads\n" in self.said

    async def leads(self) -> None:
        """Return when it leads."""
        await self.until(lambda: self.has_led)

    async def waits(self) -> None:
        """Return when it runs and waits for the lead."""
        await self.says("relay_stands_by")

    async def leads_or(self, other: RelayProcess) -> None:
        """Return when one of the two leads and the other waits."""
        await self.until(lambda: self.has_led or other.has_led)
        await (other if self.has_led else self).waits()


@asynccontextmanager
async def relay_trial(
    kafka: KafkaServer, owner_dsn: str, app_dsn: str, *, empty: bool = True
) -> AsyncIterator[RelayTrial]:
    """Empty topics on a broker, or those that are there, and a ledger on a migrated database."""
    if empty:
        await asyncio.to_thread(empty_topics, kafka.bootstrap)
    owner = await asyncpg.connect(owner_dsn)
    ledger = await PostgresLedger.connect(app_dsn, clock.now)
    try:
        yield RelayTrial(ledger, owner, owner_dsn, app_dsn, kafka)
    finally:
        await ledger.close()
        await owner.close()


def empty_topics(bootstrap: str, partitions: int = PARTITIONS) -> None:
    """Make our topics, anew where they were."""
    admin = connected(KafkaAdminClient, bootstrap)
    try:
        if there := sorted({EVENTS, ALERTS} & set(admin.list_topics())):
            admin.delete_topics(there)
            while {EVENTS, ALERTS} & set(admin.list_topics()):
                pass
    finally:
        admin.close()
    make_topics(bootstrap, partitions, 1)
