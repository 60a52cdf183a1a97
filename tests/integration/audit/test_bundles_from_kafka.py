"""A bundle from Kafka holds what stands there, with its partitions' chains, or it is not there at all."""

from __future__ import annotations

import asyncio
import zipfile
from pathlib import Path

import pytest
from kafka import KafkaProducer

from services.audit.bundle import from_kafka, from_ledger
from services.local.topics import EVENTS
from services.log.record import Link
from services.tlog.offline.verify import ALTERED, BEYOND, Verdict, keys_said, verify
from tests.support.checkpoints import checkpoint
from tests.support.relays import RelayTrial
from tests.support.signed_logs import LogKey

KEY = LogKey("one")


def inside(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_both_bundles_hold_the_same_and_verify(trial: RelayTrial, tmp_path: Path) -> None:
    await trial.append(3_000, text="x" * 2_000)
    await checkpoint(trial.ledger, KEY)
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(10))
    kafka, ledger = tmp_path / "kafka.zip", tmp_path / "ledger.zip"
    packed = await asyncio.to_thread(from_kafka, trial.bootstrap, kafka, [KEY.vkey])
    assert packed == await from_ledger(trial.ledger, ledger, [KEY.vkey])
    assert packed.size == 3_011
    with zipfile.ZipFile(kafka) as one, zipfile.ZipFile(ledger) as other:
        names = [name for name in other.namelist() if name.startswith("events/")]
        assert all(one.read(name) == other.read(name) for name in names)
    keys = keys_said([KEY.vkey])
    assert "6 partitions of Kafka" in verify(kafka, keys, [], None)
    assert "Kafka" not in verify(ledger, keys, [], None)
    with pytest.raises(Verdict) as told:
        await asyncio.to_thread(from_kafka, trial.bootstrap, kafka, to=3_012)
    assert told.value.status == BEYOND
    packed = await asyncio.to_thread(from_kafka, trial.bootstrap, kafka, to=17)
    assert packed.size == 17


async def test_what_lies_on_the_topic_beside_ours_is_passed_over(trial: RelayTrial, tmp_path: Path) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(30))
    producer = KafkaProducer(bootstrap_servers=trial.bootstrap)
    producer.send(EVENTS, b"{}", partition=0).get(30)
    [first, *_] = (await asyncio.to_thread(trial.read, foreign=True)).taken[1]
    repeat = Link(first.position, first.previous).headers()
    producer.send(EVENTS, first.value, first.key, repeat, partition=1).get(30)
    producer.close()
    packed = await asyncio.to_thread(from_kafka, trial.bootstrap, tmp_path / "bundle.zip")
    assert packed.size == 30


async def test_a_partition_that_forked_makes_no_bundle(trial: RelayTrial, tmp_path: Path) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(30))
    producer = KafkaProducer(bootstrap_servers=trial.bootstrap)
    producer.send(EVENTS, b"{}", b"home", Link(40, 3).headers(), partition=0).get(30)
    producer.close()
    with pytest.raises(Verdict, match="Position 40 is bad") as told:
        await asyncio.to_thread(from_kafka, trial.bootstrap, tmp_path / "bundle.zip")
    assert told.value.status == ALTERED
    assert inside(tmp_path) == []
