"""Kafka's disk loses power under load: nothing acknowledged is lost, and where a topic does not flush, it is mended."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from services.local.postgres import PostgresServer
from tests.faults.power.disk import Disk
from tests.support.brokers import a_broker

if TYPE_CHECKING:  # kafka-python warns at its import, which this file is too early to have filtered
    from tests.support.relays import RelayTrial

FEWEST = 200


@asynccontextmanager
async def powered(disk: Disk, postgres: PostgresServer, database: str) -> AsyncIterator[RelayTrial]:
    """A broker on the disk and a ledger elsewhere, the topics flushed once."""
    from tests.support.relays import relay_trial

    with a_broker(disk.folder / "kafka") as kafka:
        async with relay_trial(kafka, postgres.dsn(database), postgres.dsn(database, "intabaza_app")) as trial:
            yield trial


async def relay_until_the_power_goes(trial: RelayTrial, disk: Disk, events: int, *, flushed: int = 0) -> int:
    """Relay under load until so many more are acknowledged, then cut; returns the last acknowledged position.

    When `flushed` of them are, the whole disk is flushed, as it happens now and then by itself.
    """
    async with trial.under_load(), trial.relaying():
        before = await trial.acknowledged()
        if flushed:
            await trial.until_acknowledged(before + flushed)
            await asyncio.to_thread(disk.sync)
            before = await trial.acknowledged()
        await trial.until_acknowledged(before + events)
        trial.kafka.kill()
        disk.cut()
    return await trial.acknowledged()


async def on_kafka(trial: RelayTrial) -> set[int]:
    """The positions that a reader finds, whose chain is whole as far as it goes."""
    from services.local.topics import EVENTS
    from tests.support.topics import read_topic

    return (await asyncio.to_thread(read_topic, trial.bootstrap, EVENTS)).all_positions()


async def test_no_acknowledged_event_is_lost(
    disk: Disk, cuts: int, postgres: PostgresServer, fresh_database: str
) -> None:
    dice = random.Random(8)
    async with powered(disk, postgres, fresh_database) as trial:
        disk.sync()
        for number in range(cuts):
            acknowledged = await relay_until_the_power_goes(trial, disk, FEWEST + dice.randrange(400))
            await asyncio.to_thread(trial.kafka.start)
            missing = set(range(1, acknowledged + 1)) - await on_kafka(trial)
            print(f"cut {number + 1}: {acknowledged} acknowledged, {len(missing)} lost")
            assert not missing, f"cut {number + 1} of {cuts}"
        async with trial.relaying():
            await trial.until_acknowledged((await trial.ledger.head()).position)
        await trial.assert_whole()


async def test_a_topic_that_does_not_flush_loses_some_and_the_relay_sends_them_again_or_says_that_it_has_forked(
    disk: Disk, cuts: int, postgres: PostgresServer, fresh_database: str
) -> None:
    from services.local.topics import ALERTS, EVENTS

    dice = random.Random(9)
    async with powered(disk, postgres, fresh_database) as trial:
        flush_rarely(trial.bootstrap, EVENTS, ALERTS)
        disk.sync()
        for number in range(cuts):
            acknowledged = await relay_until_the_power_goes(
                trial, disk, FEWEST + dice.randrange(400), flushed=FEWEST // 2
            )
            await asyncio.to_thread(trial.kafka.start)
            missing = set(range(1, acknowledged + 1)) - await on_kafka(trial)
            print(f"cut {number + 1}: {acknowledged} acknowledged, {len(missing)} lost without flush.messages")
            assert missing, "a broker that did not flush lost nothing: these cuts prove nothing about one that does"
            async with trial.relaying():
                # something new, so that what was acknowledged before does not answer for what has to be sent again
                head = await trial.append(20)
                await trial.until(
                    "select relay.acknowledged() >= $1 or (select halted_because is not null from relay.progress)",
                    head,
                )
                if await trial.acknowledged() < head:
                    assert "fork" in await trial.halted()
                    return
            await trial.assert_whole()


def flush_rarely(bootstrap: str, *topics: str) -> None:
    """The broker's own default: it acknowledges what the disk may not have."""
    from kafka import KafkaAdminClient
    from kafka.admin import ConfigResource

    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.alter_configs([ConfigResource("TOPIC", topic, {"flush.messages": str(2**62)}) for topic in topics])
    finally:
        admin.close()
