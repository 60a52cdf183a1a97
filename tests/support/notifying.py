"""Notifiers to try, in this process or in processes of their own that a test kills, on a ledger and its subscribers."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from secrets import token_bytes
from typing import Any
from uuid import UUID

import asyncpg

from services import clock
from services.database.pools import as_it_was
from services.ledger.ledger import Recorded, Submission
from services.ledger.postgres import PostgresLedger
from services.ledger.published import Published
from services.notifier.metrics import Metrics
from services.notifier.notifier import Notifier
from services.notifier.retrying import Schedule
from services.notifier.sender import Sender
from services.subscribers.addresses import Reachable
from services.subscribers.filters import Filters
from services.subscribers.register import Register, Subscriber
from services.vault.master import MasterKey
from tests.support.ledgers import an_alert
from tests.support.processes import Process

MASTER = base64.urlsafe_b64encode(token_bytes(32)).decode().rstrip("=")
LOCAL = Reachable((ip_network("127.0.0.0/8"),), http=True)
OPERATOR = None


@dataclass
class NotifyTrial:
    """A ledger with alerts and a register of subscribers; how far the relay is, the test says itself."""

    ledger: PostgresLedger
    register: Register
    owner: asyncpg.Connection[asyncpg.Record]
    dsns: dict[str, str]
    alerts: int = 0
    metrics: Metrics = field(default_factory=Metrics)

    async def tell(self, count: int = 1, unit: str | None = None, **said: Any) -> list[Recorded]:
        """Alerts that are on Kafka, each of another unit where none is named; answers their rows."""
        submissions = []
        for _ in range(count):
            self.alerts += 1
            submissions.append(an_alert(unit or f"bi:test:{self.alerts}", **said))
        return await self.submit(*submissions)

    async def submit(self, *submissions: Submission) -> list[Recorded]:
        """The same of alerts that a test has made."""
        before = (await self.ledger.head()).position
        for submission in submissions:  # one after the other: in this order
            await self.ledger.append(submission)
        await self.acknowledge()
        return list(await self.ledger.read(before, len(submissions)))

    async def acknowledge(self) -> None:
        """Everything is on Kafka: what the relay says when it is."""
        head = (await self.ledger.head()).position
        await self.owner.execute("update relay.progress set acknowledged = $1", head)
        await self.owner.execute("select pg_notify('relay', '')")

    async def subscribe(self, url: str, filters: Filters | None = None, after: int | None = None) -> tuple[UUID, str]:
        """A subscriber of the operator's, with its secret."""
        from_position = None if after is None else after + 1
        subscriber_id, secret = await self.register.add(OPERATOR, url, filters or Filters(), from_position)
        return subscriber_id, secret.get_secret_value()

    async def find(self, subscriber_id: UUID) -> Subscriber:
        return await self.register.find(OPERATOR, subscriber_id)

    async def stands(self, subscriber_id: UUID, question: str, seconds: float = 30) -> Subscriber:
        """The subscriber, as soon as this condition in SQL holds of it."""
        async with asyncio.timeout(seconds):
            while not await self.owner.fetchval(  # noqa: ASYNC110 - a test's own question
                f"select {question} from notifier.subscriber where subscriber_id = $1", subscriber_id
            ):
                await asyncio.sleep(0.01)
        return await self.find(subscriber_id)

    async def deliveries(self, subscriber_id: UUID) -> list[asyncpg.Record]:
        """Every row of what was sent to it, in order."""
        rows = await self.register.deliveries(OPERATOR, subscriber_id, most=100_000)
        return list(reversed(rows))

    @asynccontextmanager
    async def notifying(
        self,
        *,
        reachable: Reachable = LOCAL,
        answer_seconds: float = 10.0,
        first_retry: float = 0.01,
        longest_retry: float = 0.1,
        give_up: timedelta = timedelta(days=3),
        at_once: int = 64,
        authorities: Path | None = None,
    ) -> AsyncIterator[Notifier]:
        """A notifier in this process, while the block runs."""
        async with AsyncExitStack() as opened:
            pool = await asyncpg.create_pool(self.dsns["intabaza_notifier"], min_size=0, max_size=4, reset=as_it_was)
            opened.callback(pool.terminate)
            published = Published(self.dsns["intabaza_notifier"])
            opened.push_async_callback(published.close)
            sender = Sender.open(
                reachable,
                connect_seconds=min(answer_seconds, 5.0),
                total_seconds=answer_seconds,
                authorities=authorities,
            )
            opened.push_async_callback(sender.close)
            self.metrics = Metrics()
            notifier = Notifier(
                self.dsns["intabaza_notifier"],
                pool,
                published,
                sender,
                MasterKey.parse(MASTER),
                schedule=Schedule(first_retry, longest_retry),
                give_up=give_up,
                at_once=at_once,
                metrics=self.metrics,
            )
            running = asyncio.create_task(notifier.run())
            try:
                yield notifier
                assert not running.done(), running.exception()
            finally:
                notifier.stop()
                await running

    @contextmanager
    def process(self, **settings: str) -> Iterator[NotifierProcess]:
        """A notifier in a process of its own, killed at the end if it still runs."""
        with tempfile.TemporaryDirectory(prefix="notifier-") as folder:
            process = NotifierProcess(self, Path(folder), settings)
            process.start()
            try:
                yield process
            finally:
                process.kill()


class NotifierProcess(Process):
    """`python -m services.notifier` on a trial's database; it may send to this machine, and tries again at once."""

    def __init__(self, trial: NotifyTrial, folder: Path, settings: dict[str, str]) -> None:
        others = {f"INTABAZA_{name}_DSN": trial.dsns["postgres"] for name in ("POSTGRES", "APP", "VAULT", "PROJECTOR")}
        environment = others | {
            "INTABAZA_NOTIFIER_DSN": trial.dsns["intabaza_notifier"],
            "INTABAZA_NOTARY_DSN": trial.dsns["intabaza_notifier"],
            "INTABAZA_KAFKA_BOOTSTRAP": "127.0.0.1:1",  # never used by a notifier, and asked for beside the others
            "INTABAZA_VAULT_MASTER_KEY": MASTER,
            "INTABAZA_NOTIFIER_HTTP": "true",
            "INTABAZA_NOTIFIER_NETWORKS": "127.0.0.0/8",
            "INTABAZA_NOTIFIER_RETRY_SECONDS": "0.05",
            "INTABAZA_NOTIFIER_LONGEST_RETRY_SECONDS": "0.2",
        }
        super().__init__(folder, environment | settings, "services.notifier")

    @property
    def has_led(self) -> bool:
        return '"notifier_leads"' in self.said

    async def leads(self) -> None:
        """Return when it leads."""
        await self.until(lambda: self.has_led)

    async def stands_by(self) -> None:
        """Return when it runs and waits for the lead."""
        await self.says("notifier_stands_by")


@asynccontextmanager
async def notify_trial(dsns: dict[str, str]) -> AsyncIterator[NotifyTrial]:
    """On a migrated database; `dsns` by role."""
    owner = await asyncpg.connect(dsns["postgres"])
    ledger = await PostgresLedger.connect(dsns["intabaza_app"], clock.now)
    register = await Register.connect(dsns["intabaza_app"], MasterKey.parse(MASTER), timedelta(hours=24))
    try:
        yield NotifyTrial(ledger, register, owner, dsns)
    finally:
        await register.close()
        await ledger.close()
        await owner.close()
