"""A bundle from Kafka holds what stands there, with its partitions' chains, or it is not there at all."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from kafka import KafkaProducer

from services.audit.bundle import Leaves, from_kafka, from_ledger
from services.local.topics import EVENTS
from services.log.record import Link
from services.tlog.merkle import hash_leaf
from services.tlog.offline.verify import ALTERED, BEYOND, Verdict, keys_said, verify
from services.tlog.tiles import WIDTH
from tests.support.checkpoints import checkpoint, wires_of
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


@pytest.mark.parametrize("events", [5, 700], ids=["less than a tile", "some tiles"])
async def test_leaves_of_what_was_signed_come_from_the_tree_and_name_a_line_that_was_edited(
    trial: RelayTrial, tmp_path: Path, events: int
) -> None:
    await trial.append(events)
    await checkpoint(trial.ledger, KEY)
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(1))
    hashes = [hash_leaf(wire) for wire in await wires_of(trial.ledger)]

    async def tile(number: int, width: int) -> bytes | None:
        return b"".join(hashes[number * WIDTH : number * WIDTH + width])

    @asynccontextmanager
    async def tree() -> AsyncIterator[Leaves]:
        yield tile

    bundle = tmp_path / "bundle.zip"
    await asyncio.to_thread(from_kafka, trial.bootstrap, bundle, [KEY.vkey], tree=tree)
    with zipfile.ZipFile(bundle) as held:
        files = {name: held.read(name) for name in held.namelist()}
    assert files["leaves/000001.bin"] == b"".join(hashes[:events])
    assert verify(bundle, keys_said([KEY.vkey]), [], None).startswith("Verified")
    (name,) = (one for one in files if one.startswith("events/"))
    lines = files[name].splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"actorrole":"', b'"actorrole":"x')
    files[name] = b"".join(lines)
    stated = orjson.loads(files["manifest.json"])
    stated["files"][name] = sha256(files[name]).hexdigest()
    files["manifest.json"] = orjson.dumps(stated)
    with zipfile.ZipFile(bundle, "w") as held:
        for one, content in files.items():
            held.writestr(one, content)
    with pytest.raises(Verdict, match="Position 3 is the first bad one") as told:
        verify(bundle, keys_said([KEY.vkey]), [], None)
    assert told.value.status == ALTERED


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
