"""Processors in processes of their own, that a test kills, freezes and wakes, and what they left in Postgres."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import asyncpg

from projections.taken import Taken
from services.database.lost import LOST
from services.local.kafka import KafkaServer
from tests.support.feeds import Feed
from tests.support.processes import Process
from tests.support.relays import empty_topics
from tests.support.tally import TallyFold, expected

PARTITIONS = 4
PLACES = ("case_timeline", "tally", "by_home")
FOLDS = (TallyFold("tally"), TallyFold("by_home", by="home", whole=True))


class WorkTrial:
    """A topic that is fed, a migrated database, and workers on both."""

    def __init__(self, kafka: KafkaServer, pool: asyncpg.Pool[asyncpg.Record], owner_dsn: str, dsn: str) -> None:
        self.kafka, self.pool, self.owner_dsn, self.dsn = kafka, pool, owner_dsn, dsn
        self.feed = Feed(kafka.bootstrap, PARTITIONS)
        self.group = f"trial-{uuid4()}"

    @contextmanager
    def worker(self, member: str | None = None, dsn: str | None = None, *how: str) -> Iterator[WorkerProcess]:
        """A worker process, killed at the end if it still runs."""
        with tempfile.TemporaryDirectory(prefix="worker-") as folder:
            process = WorkerProcess(self, Path(folder), member, dsn or self.dsn, how)
            process.start()
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def live_worker(self) -> Iterator[WorkerProcess]:
        """A worker with the projections that the live ones keep, killed at the end if it still runs."""
        with tempfile.TemporaryDirectory(prefix="worker-") as folder:
            process = WorkerProcess(self, Path(folder), "live", self.dsn, (), "services.processors")
            process.start()
            try:
                yield process
            finally:
                process.kill()

    async def folded(self) -> int:
        """How far all projections have come, in positions over all partitions."""
        try:
            return int(await self.pool.fetchval("select coalesce(sum(last_position), 0) from projections.watermark"))
        except LOST:
            return -1

    async def goes_on(self, by: int = 400, seconds: float = 120) -> None:
        """Return when so much more was folded."""
        begin = max(0, await self.folded())
        await self.until(lambda folded: folded >= begin + by, seconds)

    async def until(self, enough: Any, seconds: float = 120) -> None:
        async with asyncio.timeout(seconds):
            while not enough(await self.folded()):  # noqa: ASYNC110 - what is waited for is in another process
                await asyncio.sleep(0.01)

    async def members(self, *workers: WorkerProcess) -> list[int]:
        """How many partitions each of them says it has."""
        return [await asyncio.to_thread(worker.partitions) for worker in workers]

    async def shared(self, *workers: WorkerProcess, seconds: float = 180) -> None:
        """Return when each of them has some."""
        async with asyncio.timeout(seconds):
            while 0 in (counts := await self.members(*workers)) or sum(counts) != PARTITIONS:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def all_of(self, worker: WorkerProcess, seconds: float = 180) -> None:
        """Return when one has them all."""
        async with asyncio.timeout(seconds):
            while await self.members(worker) != [PARTITIONS]:  # noqa: ASYNC110 - another process is asked
                await asyncio.sleep(0.1)

    async def all_folded(self, seconds: float = 180) -> None:
        """Return when everything that was fed is committed everywhere."""
        wanted = {(place, one): last for one, last in self.feed.last.items() for place in PLACES}
        found: dict[tuple[str, int], int] = {}
        try:
            async with asyncio.timeout(seconds):
                while found != wanted:
                    await asyncio.sleep(0.02)
                    with contextlib.suppress(*LOST):
                        rows = await self.pool.fetch(
                            "select place, partition, last_position from projections.watermark"
                        )
                        found = {(row["place"], row["partition"]): row["last_position"] for row in rows}
        except TimeoutError:
            raise AssertionError(f"folded {found} of {wanted}") from None

    async def assert_exact(self, history: list[Taken] | None = None) -> None:
        """Every projection's rows are what a plain count of the same events makes, each event once."""
        history = history or self.feed.history
        for fold in FOLDS:
            rows = await self.pool.fetch(
                f'select key, events, rolling, fired, heeded, due from "{fold.name}"."{fold.name}"'
            )
            found, wanted = {row["key"]: tuple(row.values()) for row in rows}, expected(fold, history)
            wrong = [(found.get(key), wanted.get(key)) for key in found | wanted if found.get(key) != wanted.get(key)]
            assert not wrong, (fold.name, len(wrong), wrong[:5])
        rows = await self.pool.fetch("select position from case_timeline.case_timeline_event order by position")
        assert [row["position"] for row in rows] == [
            one.position for one in history if one.stream.startswith(("case/", "report/"))
        ]


class WorkerProcess(Process):
    """`python -m tests.support.tally_worker`, or of another module, on a trial's servers."""

    def __init__(
        self,
        trial: WorkTrial,
        folder: Path,
        member: str | None,
        dsn: str,
        how: tuple[str, ...],
        module: str = "tests.support.tally_worker",
    ) -> None:
        environment = {
            "INTABAZA_POSTGRES_DSN": trial.owner_dsn,
            "INTABAZA_APP_DSN": trial.owner_dsn,  # never used by a processor, and asked for beside the others
            "INTABAZA_VAULT_DSN": trial.owner_dsn,
            "INTABAZA_PROJECTOR_DSN": dsn,
            "INTABAZA_NOTIFIER_DSN": trial.owner_dsn,
            "INTABAZA_NOTARY_DSN": trial.owner_dsn,
            "INTABAZA_KAFKA_BOOTSTRAP": trial.kafka.bootstrap,
            "INTABAZA_PROCESSORS_GROUP": trial.group,
            "INTABAZA_PROCESSOR_MEMBER": member or "",
            "INTABAZA_SOURCE": "urn:intabaza:test",
        }
        super().__init__(folder, environment, module, *how)

    @property
    def metrics(self) -> str:
        """What it tells Prometheus; empty before it does."""
        told = [line for line in self.said.splitlines() if '"metrics"' in line]
        if not told:
            return ""
        try:
            with urlopen(json.loads(told[-1])["metrics"], timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def partitions(self) -> int:
        """How many partitions it says it folds."""
        return self.metrics.count('intabaza_projection_position{partition="') // len(PLACES)


@asynccontextmanager
async def work_trial(kafka: KafkaServer, owner_dsn: str, projector_dsn: str) -> AsyncIterator[WorkTrial]:
    """Empty topics on a broker and a migrated database."""
    await asyncio.to_thread(empty_topics, kafka.bootstrap, PARTITIONS)
    pool = await asyncpg.create_pool(projector_dsn, min_size=1, max_size=2)
    trial = WorkTrial(kafka, pool, owner_dsn, projector_dsn)
    try:
        yield trial
    finally:
        trial.feed.close()
        pool.terminate()
