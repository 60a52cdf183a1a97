"""A broker that is away for long costs lag, which is told; what waits stands in the ledger, not in memory."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.request import urlopen

import psutil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.relays import RelayProcess, RelayTrial

WAITING = int(os.getenv("INTABAZA_TRIAL_WAITING", "24000"))  # noqa: TID251 - a test's own size
"""How many events wait for the broker; a long trial asks for more."""

TEXT = "x" * 3_000
MB = 1_000_000
MOST_GROWTH = 60 * MB
"""More than two batches and the rows read ahead; what waits is more than 75 MB as bare bytes alone."""


def told(relay: RelayProcess) -> dict[str, float]:
    """What the relay tells Prometheus."""
    address = relay.said.rpartition("http://127.0.0.1:")[2].split("/")[0]
    with urlopen(f"http://127.0.0.1:{address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (line.split(" ") for line in lines if line[:1] != "#")}


async def until_told(relay: RelayProcess, lag: int, seconds: float = 60) -> dict[str, float]:
    async with asyncio.timeout(seconds):
        while (found := await asyncio.to_thread(told, relay))["intabaza_relay_lag_events"] != lag:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found


@asynccontextmanager
async def watched(relay: RelayProcess) -> AsyncIterator[list[int]]:
    """Keep the largest resident size of a relay, in a list of one, while the block runs."""
    assert relay.process is not None
    process, most = psutil.Process(relay.process.pid), [0]

    async def watch() -> None:
        while True:
            most[0] = max(most[0], process.memory_info().rss)
            await asyncio.sleep(0.02)

    watching = asyncio.ensure_future(watch())
    try:
        yield most
    finally:
        watching.cancel()


async def test_what_waits_for_a_broker_that_is_away_fills_no_memory_and_is_told_as_lag(trial: RelayTrial) -> None:
    with trial.process() as relay:
        await relay.leads()
        async with watched(relay) as before:
            # behind by several batches once, so that every buffer has been as large as it gets
            await trial.until_acknowledged(await trial.append(12_000, text=TEXT))
        await until_told(relay, 0)
        await asyncio.to_thread(trial.kafka.stop)
        held = await trial.acknowledged()
        async with watched(relay) as away:
            last = await trial.append(WAITING, text=TEXT)
            lag = await until_told(relay, last - held)
        assert lag["intabaza_relay_lag_seconds"] > 0
        assert await trial.acknowledged() == held
        await asyncio.to_thread(trial.kafka.start)
        async with watched(relay) as after:
            await trial.until_acknowledged(last, seconds=240)
        lag = await until_told(relay, 0)
        assert lag["intabaza_relay_lag_seconds"] == 0
        assert max(away[0], after[0]) - before[0] < MOST_GROWTH, [each[0] // MB for each in (before, away, after)]
    await trial.assert_whole()
