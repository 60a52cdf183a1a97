"""The least that a chain of these hops takes: commands in groups, synced; told by NOTIFY, read, put on Kafka, synced,
and fetched; then rows, together with how far they are. Nothing is checked, sealed, folded or remembered.

`python -m tests.benchmarks.floor relay DSN BOOTSTRAP` and `… project DSN BOOTSTRAP` are its two other processes.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from kafka import KafkaAdminClient
from kafka.protocol.consumer.fetch import FetchRequest
from kafka.protocol.producer import ProduceRequest

from services.local.topics import TOPIC_SETTINGS
from services.log.line import Line
from tests.benchmarks.processes import end, start
from tests.benchmarks.servers import PARTITIONS, Database

TOPIC = "bare.v1"
BY_NAME = 12
"""The newest version of both requests that names topics."""
BODY = b"x" * 1_900
"""As long as the body of a report with five sealed texts."""

DEFINITION = """
create schema bare;
create table bare.event (position bigint primary key, partition integer, body bytea);
create table bare.row (position bigint primary key, body bytea);
create table bare.watermark (partition integer primary key, last_position bigint);
insert into bare.watermark select one, 0 from generate_series(0, 11) as one;
"""
APPEND = """
with appended as (
    insert into bare.event select $1 + number - 1, partition, body
    from unnest($2::integer[], $3::bytea[]) with ordinality as one (partition, body, number) returning 1
)
select pg_notify('bare', ($1 + count(*) - 1)::text) from appended
"""
READ = "select position, partition, body from bare.event where position > $1 order by position"
WRITE = """
with rows as (insert into bare.row select * from unnest($1::bigint[], $2::bytea[]))
update bare.watermark w set last_position = one.position
from unnest($3::integer[], $4::bigint[]) as one (partition, position) where w.partition = one.partition
"""
HOW_FAR = "select partition, last_position as position, 1 as places from bare.watermark"


class Floor:
    """Takes commands: those that come while a group is on its way are the next group."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self._waiting: list[tuple[bytes, asyncio.Future[int]]] = []
        self._sending: asyncio.Task[None] | None = None
        self._positions = count(1)

    @staticmethod
    @asynccontextmanager
    async def running(database: Database, folder: Path) -> AsyncIterator[Floor]:
        """The caller's end, and the processes behind it."""
        bootstrap, dsn = database.servers.bootstrap, database.dsn("postgres")
        connection = await asyncpg.connect(dsn)
        await connection.execute(DEFINITION)
        await asyncio.to_thread(_make_topic, bootstrap)
        command, log = [sys.executable, "-m", "tests.benchmarks.floor"], folder / "floor.log"
        processes = [start([*command, one, dsn, bootstrap], log) for one in ("relay", "project")]
        try:
            yield Floor(connection)
            assert all(one.poll() is None for one in processes), log.read_text()[-2_000:]
        finally:
            end(processes)
            await connection.close()

    async def command(self, body: bytes = BODY) -> int:
        """Its position, when it is synced."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((body, answer))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        return await answer

    async def folded(self, position: int) -> None:
        """Wait until the rows of this position stand."""
        async with asyncio.timeout(120):
            while not await self._connection.fetchval(  # noqa: ASYNC110 - another process
                "select last_position >= $1 from bare.watermark where partition = $2", position, position % PARTITIONS
            ):
                await asyncio.sleep(0.05)

    async def _send(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            positions = [next(self._positions) for _ in group]
            partitions = [position % PARTITIONS for position in positions]
            await self._connection.execute(APPEND, positions[0], partitions, [body for body, _ in group])
            for (_, answer), position in zip(group, positions, strict=True):
                answer.set_result(position)


def _make_topic(bootstrap: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    wanted = {"num_partitions": PARTITIONS, "replication_factor": 1, "configs": dict(TOPIC_SETTINGS)}
    admin.create_topics({TOPIC: wanted}, wait_for_metadata=True)
    admin.close()


async def _line(bootstrap: str) -> Line:
    host, _, port = bootstrap.rpartition(":")
    return await Line.open(host, int(port), "bare", 10)


async def relay(dsn: str, bootstrap: str) -> None:
    """Whatever is appended, on Kafka, one batch a partition on its way."""
    connection, listener, line = await asyncpg.connect(dsn), await asyncpg.connect(dsn), await _line(bootstrap)
    rung = asyncio.Event()
    await listener.add_listener("bare", lambda *_: rung.set())
    through = 0
    while True:
        rung.clear()
        rows = await connection.fetch(READ, through)
        if not rows:
            await rung.wait()
            continue
        await line.ask(_written(rows), BY_NAME)
        through = rows[-1]["position"]


def _written(rows: Sequence[asyncpg.Record]) -> Any:
    batches: dict[int, DefaultRecordBatchBuilder] = {}
    counts: dict[int, int] = defaultdict(int)
    for row in rows:
        at = row["partition"]
        if at not in batches:
            batches[at] = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 2**20)
        headers = [("position", str(row["position"]).encode())]
        batches[at].append(counts[at], 0, b"key", row["body"], headers)
        counts[at] += 1
    topic = ProduceRequest.TopicProduceData
    parts = [topic.PartitionProduceData(index=at, records=bytes(one.build())) for at, one in batches.items()]
    return ProduceRequest(
        transactional_id=None, acks=-1, timeout_ms=10_000, topic_data=[topic(name=TOPIC, partition_data=parts)]
    )


async def project(dsn: str, bootstrap: str) -> None:
    """Whatever is on Kafka, as rows, with the watermarks in the same statement, not synced."""
    connection = await asyncpg.connect(dsn, server_settings={"synchronous_commit": "off"})
    line, offsets = await _line(bootstrap), [0] * PARTITIONS
    topic = FetchRequest.FetchTopic
    while True:
        parts = [
            topic.FetchPartition(partition=at, fetch_offset=offset, partition_max_bytes=2**20)
            for at, offset in enumerate(offsets)
        ]
        told = await line.ask(
            FetchRequest(max_wait_ms=500, min_bytes=1, topics=[topic(topic=TOPIC, partitions=parts)]), BY_NAME
        )
        positions: list[int] = []
        bodies: list[bytes] = []
        marks: dict[int, int] = {}
        for part in (part for one in told.responses for part in one.partitions if part.records):
            records = MemoryRecords(bytes(part.records))
            while (batch := records.next_batch()) is not None:
                for record in batch:
                    positions.append(int(dict(record.headers)["position"]))
                    bodies.append(record.value)
                    offsets[part.partition_index] = record.offset + 1
            marks[part.partition_index] = positions[-1]
        if positions:
            await connection.execute(WRITE, positions, bodies, list(marks), list(marks.values()))


if __name__ == "__main__":
    _, _name, _dsn, _bootstrap = sys.argv
    uvloop.run({"relay": relay, "project": project}[_name](_dsn, _bootstrap))
