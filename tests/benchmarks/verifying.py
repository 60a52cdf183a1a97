"""Verifying a log: ledger, Kafka and a signed checkpoint against each other, against a bare poll-and-hash loop."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import psutil
from kafka import KafkaConsumer, TopicPartition
from rich.console import Console
from rich.table import Table

from events.envelope import SPLICE_VERSION
from services import clock
from services.audit.bundle import from_ledger
from services.audit.verifying import Asked, verify
from services.ledger.postgres import PostgresLedger
from services.local.topics import EVENTS
from services.tlog.offline.verify import keys_said, read_checkpoints
from services.tlog.offline.verify import verify as verify_bundle
from tests.benchmarks.servers import PARTITIONS, Database, Servers
from tests.benchmarks.watching import spread
from tests.support.crisis import crisis
from tests.support.signed_logs import LogKey, signed_root

PROCESSES = 2
PER_DAY = 20_000
MARK = 0.7
LOOK_SECONDS = 0.2
BARE = "bare poll-and-hash loop, 2 processes"
BUNDLED = "verify.py on a bundle, 1 process"
KEY = LogKey("bench")


@dataclass
class Took:
    """Seconds and CPU seconds of one turn, and the largest of its processes in MiB."""

    seconds: float
    cpu: float
    mib: float


async def compare(servers: Servers, events: int, rounds: int, only: Sequence[str] = ()) -> None:
    """All in turns, on the same events; the servers' own CPU is not counted."""
    turns: dict[str, list[Took]] = {}
    async with servers.database() as database:
        checkpoint = await fill_ledger(database, events)
        kept = read_checkpoints(checkpoint, "the bench", 2)
        keys = keys_said([KEY.vkey])
        alone = Asked(servers.bootstrap, None, keys, kept, PROCESSES)
        both = Asked(servers.bootstrap, database.dsn("intabaza_app"), keys, kept, PROCESSES)
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / "bundle.zip"
            contenders: dict[str, Callable[[], object]] = {
                BARE: lambda: poll(servers.bootstrap),
                "audit verify --kafka-only": lambda: asyncio.run(verify(alone)),
                "audit verify": lambda: asyncio.run(verify(both)),
                BUNDLED: lambda: verify_bundle(bundle, keys, kept, None),
            }
            chosen = [one for one in contenders if not only or one == BARE or any(word in one for word in only)]
            if BUNDLED in chosen:
                await _pack(database, bundle, events)
            for name in chosen * rounds:
                took = await asyncio.to_thread(timed, contenders[name])
                turns.setdefault(name, []).append(took)
                print(f"{name}: {took.seconds:.1f} s, {took.cpu:.1f} s of CPU, {took.mib:.0f} MiB", flush=True)
    [bare, *_] = turns.values()
    table = Table("what", "positions/s", "÷ bare", "CPU µs", "÷ bare, CPU", "mark", title=f"{events:,} events")
    for name, all_took in turns.items():
        table.add_row(
            name,
            spread([events / one.seconds for one in all_took], 0),
            spread([two.seconds / one.seconds for one, two in zip(all_took, bare, strict=True)]),
            spread([one.cpu / events * 1e6 for one in all_took], 1),
            spread([two.cpu / one.cpu for one, two in zip(all_took, bare, strict=True)]),
            str(MARK) if name == "audit verify" else "",
        )
    Console(width=140).print(table)


async def _pack(database: Database, bundle: Path, events: int) -> None:
    ledger = await PostgresLedger.connect(database.dsn("intabaza_app"), clock.now)
    packed = await from_ledger(ledger, bundle, [KEY.vkey])
    await ledger.close()
    assert packed.size == events


def timed(turn: Callable[[], object]) -> Took:
    """How long a turn takes, what it and its processes used, and how large the largest of these became."""
    there = {one.pid for one in psutil.Process().children(recursive=True)}
    largest, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            for one in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    if one.pid not in there:
                        largest[0] = max(largest[0], one.memory_info().rss)

    looking = threading.Thread(target=look)
    looking.start()
    began, before = time.perf_counter(), _cpu()
    try:
        turn()
    finally:
        took = time.perf_counter() - began, _cpu() - before
        over.set()
        looking.join()
    return Took(*took, largest[0] / 1024 / 1024)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


async def fill_ledger(database: Database, events: int) -> str:
    """The events that are on the topic, written into the ledger past its door; returns a checkpoint of them."""
    leaves: list[bytes] = []
    connection = await asyncpg.connect(database.dsn("postgres"))
    try:
        rows = _rows(events, leaves)
        while chunk := list(islice(rows, 20_000)):
            await connection.copy_records_to_table(
                "event", schema_name="ledger", records=chunk,
                columns=("position", "stream", "version", "event_id", "type", "home", "recorded_at", "command_id",
                         "command_mac", "body", "splice_version"),
            )  # fmt: skip
        await connection.execute("update relay.progress set acknowledged = $1", len(leaves))
        await connection.execute("vacuum analyze ledger.event")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    return signed_root(leaves, KEY)


def _rows(events: int, leaves: list[bytes]) -> Iterator[tuple[Any, ...]]:
    for written in crisis(events, reference=True, per_day=PER_DAY):
        leaves.append(sha256(b"\0" + written.wire()).digest())
        yield (
            written.position, written.stream, written.version, written.event_id, written.type, written.home,
            written.recorded_at, written.command_id, bytes.fromhex(orjson.loads(written.body)["commandmac"]),
            written.body, SPLICE_VERSION,
        )  # fmt: skip


def poll(bootstrap: str) -> None:
    """Read the whole topic and hash every value; nothing else."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        shares = [range(first, PARTITIONS, PROCESSES) for first in range(PROCESSES)]
        for done in [pool.submit(poll_share, bootstrap, share) for share in shares]:
            assert done.result()


def poll_share(bootstrap: str, share: range) -> int:
    """Read and hash some partitions to their ends; returns how many records those were."""
    reader = KafkaConsumer(
        bootstrap_servers=bootstrap.split(","), group_id=None, enable_auto_commit=False, max_poll_records=5_000
    )
    places = [TopicPartition(EVENTS, number) for number in share]
    reader.assign(places)
    reader.seek_to_beginning(*places)
    total, read = sum(reader.end_offsets(places).values()), 0
    while read < total:
        for records in reader.poll(timeout_ms=500).values():
            for record in records:
                sha256(record.value).digest()
            read += len(records)
    reader.close()
    return read
