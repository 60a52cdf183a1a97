"""One alert to many clients; and the API over HTTP, against a FastAPI handler that does nothing on the same uvicorn."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psutil

from events.vocabulary import Role
from services import clock
from services.acts.beginning import begin
from services.api.tokens import Bearer, TokenIssuer
from services.area import EVERYWHERE
from services.gazetteer import read_gazetteer
from services.ledger.postgres import PostgresLedger
from services.local.ports import answers, free_port
from services.settings import PREFIX, Settings
from services.wiring import open_desk
from tests.benchmarks.appending import GAZETTEER
from tests.benchmarks.connections import REPORT, UNIT, is_ready, load, reports, request
from tests.benchmarks.processes import Process, end, start
from tests.benchmarks.servers import Database, Servers, servers
from tests.support.ledgers import an_alert

RULES = GAZETTEER.parents[1] / "rules" / "burundi.toml"
CONNECTIONS = 32
SECONDS = 8.0
WARM_SECONDS = 1.0
LISTENERS = 1_000
BESIDE = ("relay", "processors")
"""Without them there are no projections to read and no alerts to hear; they end before what they have no part in."""


def compare(rounds: int) -> None:
    """One alert to a thousand clients; then reports and reads against the bare handler, in turns."""
    with servers() as running:
        asyncio.run(_compare(running, rounds))


async def _compare(running: Servers, rounds: int) -> None:
    async with running.database() as database, _api(database) as (api, bare, relay, token):
        await _to_many(database, api, token)
        end([relay])

        def same(one: bytes) -> Iterator[bytes]:
            while True:
                yield one

        contenders = {
            "bare POST": (bare, same(request("POST", "/bare", token, REPORT))),
            "the least that a report can cost": (bare, reports(token, "/least")),
            "a report: sealed, synced, answered": (api, reports(token)),
            "bare GET": (bare, same(request("GET", "/bare", token))),
            "a commune's level": (api, same(request("GET", f"/v1/levels/{UNIT}", token))),
        }
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        costs: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, ((process, port), requests) in contenders.items():
                await load(port, requests, CONNECTIONS, WARM_SECONDS)
                before = _cpu_seconds(process)
                rate, each = await load(port, requests, CONNECTIONS, SECONDS)
                rates[name].append(rate)
                costs[name].append((_cpu_seconds(process) - before) / len(each) * 1e6)
                each.sort()
                p50, p99 = (each[int(len(each) * share)] * 1e3 for share in (0.5, 0.99))
                print(
                    f"{name:<40} {rate:>8,.0f}/s   p50 {p50:6.1f}   p99 {p99:6.1f} ms   "
                    f"{costs[name][-1]:>6,.0f} µs of its process's CPU each   load {os.getloadavg()[0]:.0f}",
                    flush=True,
                )
        for name, against, mark in (
            ("the least that a report can cost", "bare POST", 0.35),
            ("a report: sealed, synced, answered", "bare POST", 0.35),
            ("a commune's level", "bare GET", 0.6),
        ):
            ratios = [one / other for one, other in zip(rates[name], rates[against], strict=True)]
            in_cpu = [other / one for one, other in zip(costs[name], costs[against], strict=True)]
            print(
                f"{name} ÷ {against}: {', '.join(f'{one:.2f}' for one in ratios)} (mark {mark}); "
                f"by CPU {', '.join(f'{one:.2f}' for one in in_cpu)}",
                flush=True,
            )


@asynccontextmanager
async def _api(
    database: Database,
) -> AsyncIterator[tuple[tuple[Process, int], tuple[Process, int], Process, str]]:
    """The API, the bare application and the relay, each a process, on a network that has begun."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, log = Path(name), Path(name) / "log"
        key = folder / "master.key"
        key.write_text(secrets.token_urlsafe(32))
        key.chmod(0o600)
        api, bare = free_port(), free_port()
        environment = database.environment(folder) | {
            "INTABAZA_VAULT_MASTER_KEY_FILE": str(key),
            "INTABAZA_API_PORT": str(api),
            "INTABAZA_API_REQUESTS_PER_SECOND": "0",
            "INTABAZA_API_STREAMS_PER_PERSON": "0",
        }
        ours = {
            name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)
        }
        settings = Settings.model_validate(ours)
        person = uuid4()
        async with open_desk(settings) as desk:
            gazetteer = read_gazetteer(GAZETTEER).with_division_in_force("2015")
            await begin(desk, person, gazetteer, RULES.read_text("utf-8"))
        issuer = TokenIssuer.find_or_make(settings.token_keys)
        token = issuer.issue(Bearer(person, Role.COORDINATOR, EVERYWHERE), clock.now(), timedelta(hours=2))
        uvicorn = ["uvicorn", "tests.benchmarks.bare:app", "--port", str(bare), "--no-access-log", "--no-server-header"]
        served = [start([sys.executable, "-m", *one], log, environment) for one in (["services.api"], uvicorn)]
        others = {one: start([sys.executable, "-m", f"services.{one}"], log, environment) for one in BESIDE}
        try:
            async with asyncio.timeout(300):
                while not (answers(bare) and await is_ready(api)):  # noqa: ASYNC110 - other processes
                    await asyncio.sleep(0.2)
            end([others["processors"]])
            yield (served[0], api), (served[1], bare), others["relay"], token
        finally:
            end([*served, *others.values()])


def _cpu_seconds(process: Process) -> float:
    """What a process has used of the processors: other work on the machine does not touch it much."""
    used = psutil.Process(process.pid).cpu_times()
    return used.user + used.system


async def _to_many(database: Database, api: tuple[Process, int], token: str) -> None:
    """One alert to everybody who listens: how long until each has it, and what each costs the API in memory."""
    process, port = psutil.Process(api[0].pid), api[1]
    before = process.memory_info().rss
    listeners = [await asyncio.open_connection("127.0.0.1", port) for _ in range(LISTENERS)]
    for _, writer in listeners:
        writer.write(request("GET", "/v1/alerts/stream", token))
    for reader, _ in listeners:
        await reader.readuntil(b"retry: 2000\n\n")
    grown = process.memory_info().rss - before
    ledger = await PostgresLedger.connect(database.dsn("intabaza_app"), clock.now)
    try:
        async with asyncio.TaskGroup() as group:
            heard = [group.create_task(_hears(reader)) for reader, _ in listeners]
            began = time.perf_counter()
            await ledger.append(an_alert(UNIT))
            appended = time.perf_counter()
    finally:
        await ledger.close()
        for _, writer in listeners:
            writer.close()
    await _until_nobody_listens(port)
    seconds = sorted(one.result() - began for one in heard)
    print(
        f"one alert to {LISTENERS:,} clients, from the command on: first {seconds[0] * 1e3:.0f}, "
        f"p50 {seconds[LISTENERS // 2] * 1e3:.0f}, p99 {seconds[LISTENERS * 99 // 100] * 1e3:.0f} ms "
        f"(append {(appended - began) * 1e3:.0f} ms); {grown / LISTENERS / 1024:.0f} KiB of memory a client",
        flush=True,
    )


async def _until_nobody_listens(port: int) -> None:
    """Those who left are let go of: the API counts who follows."""
    async with asyncio.timeout(60):
        said = b""
        while b"intabaza_api_listeners 0.0" not in said:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request("GET", "/metrics").replace(b"host:", b"connection: close\r\nhost:"))
            said = await reader.read()
            writer.close()
            await asyncio.sleep(0.1)


async def _hears(reader: asyncio.StreamReader) -> float:
    while not (await reader.readline()).startswith(b"data: "):
        pass
    return time.perf_counter()
