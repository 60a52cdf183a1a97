"""Webhooks a second: the notifier, which reads, filters, signs, sends in order and records, against bare loops."""

from __future__ import annotations

import asyncio
import base64
import shutil
import statistics
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from operator import truediv
from pathlib import Path
from secrets import token_bytes
from typing import TypeAlias

import aiohttp
import asyncpg
import httpx

from services import clock
from services.database.migrate import migrate
from services.ledger.postgres import PostgresLedger
from services.local.ports import answers, free_port
from services.local.postgres import PostgresServer
from services.settings import Settings, child_environment
from services.subscribers.filters import Filters
from services.subscribers.register import Register
from services.vault.master import MasterKey
from tests.benchmarks.processes import Process, end, start
from tests.benchmarks.watching import Figure, watch
from tests.conftest import server_folder
from tests.support.ledgers import an_alert

ALERTS = 1_000
BODY = an_alert("bi:bench:1").appends[0].entries[0].body
HEADERS = {"Content-Type": "application/cloudevents+json"}

Post: TypeAlias = Callable[[int], Awaitable[None]]
Work: TypeAlias = Callable[[Post], Awaitable[None]]

MASTER = base64.urlsafe_b64encode(token_bytes(32)).decode().rstrip("=")
SUBSCRIBERS = (16, 1)
OURS = "the notifier"
MARK = " (mark 0.5)"


def compare(rounds: int) -> None:
    """Each number of subscribers, both contenders in turns."""
    folder = server_folder()
    postgres = PostgresServer(folder / "postgres")
    try:
        postgres.start()
        for subscribers in SUBSCRIBERS:
            rates: dict[str, list[float]] = {}
            for _ in range(rounds):
                for name in (*BARE, OURS):
                    measured = (
                        _bare(folder, name, subscribers) if name in BARE else _ours(postgres, folder, subscribers)
                    )
                    figure = asyncio.run(measured)
                    rates.setdefault(name, []).append(figure.rate)
                    told = f"{figure.rate:,.0f} webhooks/s, {figure.cpu_us:,.0f} µs CPU"
                    print(f"  {subscribers:2} subscribers, {name}: {told}", flush=True)
            for name in BARE:
                ratio = statistics.median(map(truediv, rates[OURS], rates[name]))
                print(f"  the notifier ÷ {name}: {ratio:.2f}{MARK if name == 'httpx' else ''}", flush=True)
    finally:
        postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _receiver(folder: Path) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    port = free_port()
    process = start([sys.executable, "-m", "tests.benchmarks.receiving", str(port)], folder / "receiver.log")
    try:
        while not answers(port):  # noqa: ASYNC110 - a process of ours that begins
            await asyncio.sleep(0.05)
        async with httpx.AsyncClient() as client:
            yield f"http://127.0.0.1:{port}/", client
    finally:
        end([process])


async def _follow(process: Process, client: httpx.AsyncClient, url: str, total: int, log: Path) -> Figure:
    async def came() -> int:
        return int((await client.get(url)).text)

    return await watch([process.pid], came, total, log)


async def _bare(folder: Path, name: str, subscribers: int) -> Figure:
    async with _receiver(folder) as (url, client):
        log = folder / "bare.log"
        command = [sys.executable, "-m", "tests.benchmarks.notifying", name, url, str(subscribers)]
        process = start(command, log)
        try:
            return await _follow(process, client, url, subscribers * ALERTS, log)
        finally:
            end([process])


async def _ours(postgres: PostgresServer, folder: Path, subscribers: int) -> Figure:
    name = f"notify_{token_bytes(4).hex()}"
    owner = await asyncpg.connect(postgres.dsn())
    await owner.execute(f"create database {name}")
    await owner.close()
    await migrate(postgres.dsn(name))
    await _tell(postgres.dsn(name), postgres.dsn(name, "intabaza_app"))
    async with _receiver(folder) as (url, client):
        register = await Register.connect(postgres.dsn(name, "intabaza_app"), MasterKey.parse(MASTER), timedelta(1))
        for number in range(subscribers):
            await register.add(None, f"{url}{number}", Filters(), from_position=1)
        await register.close()
        dsns = {f"INTABAZA_{one}_DSN": postgres.dsn(name) for one in ("POSTGRES", "APP", "VAULT", "PROJECTOR")}
        environment = (
            child_environment(Settings(data_folder=folder))
            | dsns
            | {
                "INTABAZA_NOTIFIER_DSN": postgres.dsn(name, "intabaza_notifier"),
                "INTABAZA_NOTARY_DSN": postgres.dsn(name, "intabaza_notary"),
                "INTABAZA_KAFKA_BOOTSTRAP": "127.0.0.1:1",  # never used by a notifier
                "INTABAZA_VAULT_MASTER_KEY": MASTER,
                "INTABAZA_NOTIFIER_HTTP": "true",
                "INTABAZA_NOTIFIER_NETWORKS": "127.0.0.0/8",
            }
        )
        log = folder / "notifier.log"
        process = start([sys.executable, "-m", "services.notifier"], log, environment)
        try:
            return await _follow(process, client, url, subscribers * ALERTS, log)
        finally:
            end([process])


async def _tell(owner_dsn: str, app_dsn: str) -> None:
    """Alerts that are on Kafka, as far as the notifier can see."""
    ledger = await PostgresLedger.connect(app_dsn, clock.now)
    owner = await asyncpg.connect(owner_dsn)
    try:
        await asyncio.gather(*(ledger.append(an_alert(f"bi:bench:{number}")) for number in range(ALERTS)))
        await owner.execute("update relay.progress set acknowledged = $1", (await ledger.head()).position)
    finally:
        await owner.close()
        await ledger.close()


async def _by_httpx(url: str, work: Work) -> None:
    async with httpx.AsyncClient(headers=HEADERS) as client:

        async def post(number: int) -> None:
            (await client.post(f"{url}{number}", content=BODY)).raise_for_status()

        await work(post)


async def _by_aiohttp(url: str, work: Work) -> None:
    async with aiohttp.ClientSession(headers=HEADERS) as client:

        async def post(number: int) -> None:
            async with client.post(f"{url}{number}", data=BODY) as answer:
                answer.raise_for_status()

        await work(post)


BARE: Mapping[str, Callable[[str, Work], Awaitable[None]]] = {"httpx": _by_httpx, "aiohttp": _by_aiohttp}
"""Loops of so many workers, each posting the bytes of an alert again and again."""


async def _loop(name: str, url: str, workers: int) -> None:
    async def work(post: Post) -> None:
        async def one(number: int) -> None:
            for _ in range(ALERTS):
                await post(number)

        await asyncio.gather(*map(one, range(workers)))

    await BARE[name](url, work)
    await asyncio.sleep(60)  # until it is ended: it is looked at from outside


if __name__ == "__main__":
    asyncio.run(_loop(sys.argv[1], sys.argv[2], int(sys.argv[3])))
