"""`make bench`: figures side by side, in one run, on one server that syncs; read the ratios, not the seconds."""

from __future__ import annotations

import asyncio

from rich.console import Console
from rich.table import Table

from services.database.migrate import migrate
from services.local.postgres import PostgresServer
from tests.benchmarks.appending import Timing, append_bare, receive_reports, save_with_the_library
from tests.benchmarks.replaying import replay_a_stream
from tests.conftest import server_folder

MARK = 12
"""How many times the library's own recorder a command with all its work must be, at least."""


def main() -> None:
    """Run every figure and print each against what it is compared with."""
    server = PostgresServer(server_folder())
    server.start()
    try:
        asyncio.run(migrate(server.dsn()))
        library = save_with_the_library(server, threads=4, seconds=6)
        bare = asyncio.run(append_bare(server, callers=64, seconds=6))
        reports = asyncio.run(receive_reports(server, callers=64, seconds=10))
    finally:
        server.remove()
    replayed, loaded = replay_a_stream(events=1_000)
    table = Table("what", "a second", "p50 ms", "p99 ms", "times the library", title="appending, synced to disk")
    for what, timing in (
        ("the library's Postgres recorder, 4 threads, one event a save", library),
        ("our ledger, 64 callers, the same bytes, no domain work", bare),
        ("a report received: domain, sealing, person, keys, append; 64 callers", reports),
    ):
        table.add_row(what, *_columns(timing), f"{timing.rate / library.rate:.1f}")
    Console(width=140).print(table)
    print(f"mark for a report received: at least {MARK} times the library")
    print(f"replay of a stream of 1,000 events: {replayed:,.0f} events/s, {replayed / loaded:.3f} of bare orjson.loads")


def _columns(timing: Timing) -> tuple[str, str, str]:
    return f"{timing.rate:,.0f}", f"{timing.quantile(0.5) * 1e3:.1f}", f"{timing.quantile(0.99) * 1e3:.1f}"


if __name__ == "__main__":
    main()
