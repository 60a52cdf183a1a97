"""Appending: the library's own recorder, our ledger bare, and a report received with everything that belongs to it."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from rich.console import Console
from rich.table import Table

from events.command import read_command
from events.report.decisions import Receive
from events.vocabulary import Role
from services import clock
from services.acts import report as acts
from services.acts.network import Committee
from services.database.migrate import migrate
from services.desk.order import Order
from services.gazetteer import read_gazetteer
from services.ledger.ledger import Append, Entry, Submission
from services.ledger.postgres import PostgresLedger
from services.local.postgres import PostgresServer
from services.vault.master import MasterKey
from services.wiring import open_network
from tests.conftest import server_folder

GAZETTEER = Path(__file__).parents[2] / "deploy" / "gazetteer" / "burundi"
BODY = b'{"data":"' + b"x" * 580 + b'"}'
"""About 600 bytes, the size of an event without many sealed texts."""


@dataclass
class Timing:
    """How long each call took, and all of them together."""

    seconds: float = 0.0
    each: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.each) / self.seconds

    def quantile(self, share: float) -> float:
        return sorted(self.each)[min(int(len(self.each) * share), len(self.each) - 1)]


MARK = 12
"""How many times the library's own recorder a command with all its work must be, at least."""


def compare() -> None:
    """Run all three on one server that syncs, and print them."""
    server = PostgresServer(server_folder())
    server.start()
    try:
        asyncio.run(migrate(server.dsn()))
        library = save_with_the_library(server, threads=4, seconds=6)
        bare = asyncio.run(append_bare(server, callers=64, seconds=6))
        reports = asyncio.run(receive_reports(server, callers=64, seconds=10))
    finally:
        server.remove()
    table = Table("what", "a second", "p50 ms", "p99 ms", "times the library", title="appending, synced to disk")
    for what, timing in (
        ("the library's Postgres recorder, 4 threads, one event a save", library),
        ("our ledger, 64 callers, the same bytes, no domain work", bare),
        ("a report received: domain, sealing, person, keys, append; 64 callers", reports),
    ):
        columns = f"{timing.rate:,.0f}", f"{timing.quantile(0.5) * 1e3:.1f}", f"{timing.quantile(0.99) * 1e3:.1f}"
        table.add_row(what, *columns, f"{timing.rate / library.rate:.1f}")
    Console(width=140).print(table)
    print(f"mark for a report received: at least {MARK} times the library")


def save_with_the_library(server: PostgresServer, *, threads: int, seconds: float) -> Timing:
    """The PostgresApplicationRecorder of eventsourcing as it comes: each save is one event of a new stream."""
    parts = urlsplit(server.dsn())
    query = parse_qs(parts.query)
    datastore = PostgresDatastore(
        dbname=parts.path.lstrip("/") or "postgres",
        host=parts.hostname or query.get("host", ["127.0.0.1"])[0],
        port=str(parts.port or query.get("port", ["5432"])[0]),
        user="postgres",
        password="none",
        pool_size=threads,
        max_overflow=threads,
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name="library_events")
    recorder.create_table()
    timing, ends = Timing(), time.perf_counter() + seconds

    def save() -> None:
        while time.perf_counter() < ends:
            started = time.perf_counter()
            recorder.insert_events([StoredEvent(uuid4(), 1, "saved", BODY)])
            timing.each.append(time.perf_counter() - started)

    workers = [threading.Thread(target=save) for _ in range(threads)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    timing.seconds = time.perf_counter() - started
    datastore.close()
    return timing


async def append_bare(server: PostgresServer, *, callers: int, seconds: float) -> Timing:
    """Our ledger alone: one event of a new stream an append, ready-made bytes."""
    ledger = await PostgresLedger.connect(server.dsn(user="intabaza_app"), clock.now)

    async def append() -> None:
        entry = Entry(uuid4(), "saved", BODY)
        await ledger.append(Submission(uuid4(), b"m" * 32, (Append(f"bench/{uuid4()}", 0, "bench", (entry,)),)))

    try:
        return await _measured(append, callers, seconds)
    finally:
        await ledger.close()


async def receive_reports(server: PostgresServer, *, callers: int, seconds: float) -> Timing:
    """A report by message: validated, placed, decided, five texts sealed under two new keys, appended."""
    gazetteer = read_gazetteer(GAZETTEER)
    units = [unit.unit_id for unit in gazetteer.in_force()][:100]
    async with open_network(
        server.dsn(user="intabaza_app"),
        server.dsn(user="intabaza_vault"),
        MasterKey(secrets.token_bytes(32)),
        gazetteer,
        Committee(frozenset(), 2),
        zone=ZoneInfo("Africa/Bujumbura"),
        source="urn:intabaza:bench",
    ) as network:
        phones = [f"+2577900{number:04}" for number in range(100)]
        people = [await network.desk.persons.person_by_phone(phone) for phone in phones]
        sent = iter(range(10**9))

        async def receive() -> None:
            number = next(sent)
            await acts.receive(network, order(people[number % 100], units[number % 100]), people[number % 100])

        await _measured(receive, callers, 1.0)
        return await _measured(receive, callers, seconds)


def order(person: UUID, unit: str) -> Order[Receive]:
    """A report by message as a command."""
    fields = {
        "channel": "sms",
        "language": "rn",
        "kind": "tension",
        "basis": "witnessed",
        "unit": unit,
        "place_precision": "commune",
        "text": "Hari abantu batera ubwoba ku isoko, bavuga ko bazogaruka ijoro ryose. " * 2,
        "place_words": "ku isoko ryo hagati",
        "contact": "+25779000000",
        "received_at": clock.now(),
    }
    return Order(person, Role.REPORTER, secrets.token_hex(16), read_command(Receive, fields), "report")


async def _measured(call: Callable[[], Awaitable[None]], callers: int, seconds: float) -> Timing:
    timing, ends = Timing(), time.perf_counter() + seconds

    async def repeat() -> None:
        while time.perf_counter() < ends:
            started = time.perf_counter()
            await call()
            timing.each.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(repeat() for _ in range(callers)))
    timing.seconds = time.perf_counter() - started
    return timing
