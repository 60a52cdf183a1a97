"""History is verified on both sides and against what was signed; each fault is a sentence and a status."""

from __future__ import annotations

import asyncio
import json

import pytest
from kafka import KafkaProducer, TopicPartition

from services.local.topics import EVENTS
from services.log.record import Link
from services.tlog.offline.verify import (
    ALTERED,
    ANOTHER_LOG,
    KEY_UNKNOWN,
    UNPROVEN,
)
from tests.support.checkpoints import append_checkpoint, cosign, wires_of
from tests.support.odd_records import TOLD, batch_of, put
from tests.support.relays import RelayTrial
from tests.support.rewritten import rewrite
from tests.support.signed_logs import ORIGIN, LogKey, note, size_of
from tests.support.tamperings import change
from tests.support.verifying import KEY, filled, judge

STRANGER = LogKey("stranger")
WITNESS = LogKey("witness", "witness.example/w", 4)


async def test_history_as_it_was_is_verified(trial: RelayTrial) -> None:
    signed = await filled(trial)
    status, sentence = await judge(trial, KEY, kept=signed[:1])
    assert (status, "the same bytes in the ledger and on Kafka" in sentence) == (0, True), sentence
    assert f"3 checkpoints of {ORIGIN}" in sentence
    assert "no checkpoint covers positions 108 to 118 yet" in sentence
    assert "no key was given" in (await judge(trial))[1]
    status, sentence = await judge(trial, KEY, with_ledger=False)
    assert (status, "positions 1 to 118 are on Kafka, in unbroken chains over 6 partitions" in sentence) == (0, True)
    assert (await judge(trial, STRANGER))[0] == KEY_UNKNOWN
    other = note(await wires_of(trial.ledger), 20, LogKey("one", "another.log"), origin="another.log")
    assert (await judge(trial, KEY, kept=[other]))[0] == ANOTHER_LOG
    cut = note([*await wires_of(trial.ledger), b"{}"], 119, KEY)
    status, sentence = await judge(trial, KEY, kept=[cut])
    assert (status, "Position 119 is the first bad one: it is missing" in sentence) == (ALTERED, True)


async def test_whoever_is_demanded_as_a_witness_cosigned_or_nothing_is_proven(trial: RelayTrial) -> None:
    signed = await filled(trial)
    size = size_of(signed[0])
    status, sentence = await judge(trial, KEY, witness=WITNESS)
    assert (status, sentence.startswith("Not witnessed: no checkpoint bears a cosignature")) == (UNPROVEN, True)
    cosigned = await cosign(trial.owner_dsn, signed[0], WITNESS)
    status, sentence = await judge(trial, witness=WITNESS)
    assert (status, f"witnessed by {WITNESS.name} up to position {size}" in sentence) == (0, True), sentence
    status, sentence = await judge(trial, KEY, witness=WITNESS, with_ledger=False, kept=[cosigned])
    assert (status, f"witnessed by {WITNESS.name} up to position {size}" in sentence) == (0, True), sentence
    other = WITNESS.line("what it never saw\n")
    await cosign(trial.owner_dsn, signed[1], WITNESS, line=other)
    status, sentence = await judge(trial, KEY, witness=WITNESS)
    told = f"The checkpoint of size {size_of(signed[1])} is not what the witness {WITNESS.name} cosigned"
    assert (status, sentence.startswith(told)) == (ALTERED, True), sentence
    await trial.owner.execute("update notary.cosignature set line = 'nonsense'")
    status, sentence = await judge(trial, KEY, witness=WITNESS)
    assert (status, "What is kept as a cosignature of" in sentence) == (ALTERED, True), sentence


async def test_whoever_sets_back_how_far_the_relay_came_hides_nothing(trial: RelayTrial) -> None:
    """The relay's own note of it stands in the same database, and is no reason to look no further."""
    await filled(trial)
    head = (await trial.ledger.head()).position
    await trial.owner.execute("update relay.progress set acknowledged = 20")
    status, sentence = await judge(trial, KEY)
    assert (status, f"positions 1 to {head} are the same bytes" in sentence) == (0, True), sentence
    edited = "set body = convert_to(replace(convert_from(body, 'UTF8'), 'actorrole', 'actorrule'), 'UTF8')"
    for position in (60, head):
        async with trial.owner.transaction():
            await trial.owner.execute("set local session_replication_role = replica")
            before = await trial.owner.fetchval("select body from ledger.event where position = $1", position)
            await trial.owner.execute(f"update ledger.event {edited} where position = $1", position)
        status, sentence = await judge(trial, KEY)
        assert (status, f"Position {position} is the first bad one" in sentence) == (ALTERED, True), sentence
        async with trial.owner.transaction():
            await trial.owner.execute("set local session_replication_role = replica")
            await trial.owner.execute("update ledger.event set body = $2 where position = $1", position, before)


async def test_kafka_that_was_cut_short_is_no_log_that_is_still_being_sent(trial: RelayTrial) -> None:
    """Be the relay away, and its note set back: the ledger says how far was signed, and so was there."""
    signed = size_of((await filled(trial))[-1])
    wires = await wires_of(trial.ledger)
    for end in (signed - 1, signed - 30):
        await asyncio.to_thread(rewrite, trial.bootstrap, wires[:end])
        await trial.owner.execute("update relay.progress set acknowledged = $1", end)
        status, sentence = await judge(trial, KEY)
        told = f"Position {end + 1} is the first bad one: Kafka ends before it, although a checkpoint of size {signed}"
        assert (status, told in sentence) == (ALTERED, True), sentence
    await asyncio.to_thread(rewrite, trial.bootstrap, wires[:signed])
    status, sentence = await judge(trial, KEY)
    assert (status, "of the ledger" in sentence and "not on Kafka yet" in sentence) == (0, True), sentence


@pytest.mark.parametrize("huge", [10**6, 10**18, 10**19 - 1])
async def test_a_position_that_cannot_be_is_a_verdict_and_ends_nothing(trial: RelayTrial, huge: int) -> None:
    """The room that is kept for each position is not made for it, nor for what is missing before it."""
    await filled(trial)
    last = (await asyncio.to_thread(trial.read)).taken[1][-1].position
    producer = KafkaProducer(bootstrap_servers=trial.bootstrap)
    for _ in range(2):
        producer.send(EVENTS, b"{}", b"home", Link(huge, last).headers(), partition=1).get(30)
    producer.close()
    for with_ledger in (True, False):
        status, sentence = await judge(trial, KEY, with_ledger=with_ledger)
        assert (status, f"Position {huge} is the first bad one: " in sentence) == (ALTERED, True), sentence
        assert "states it, and there are not so many records" in sentence


async def test_what_the_relay_has_still_to_send_is_said_and_no_fault(trial: RelayTrial) -> None:
    await filled(trial)
    sent = (await trial.ledger.head()).position
    await trial.append(7)
    status, sentence = await judge(trial, KEY)
    assert status == 0, sentence
    assert f"positions 1 to {sent} are the same bytes" in sentence
    assert f"positions {sent + 1} to {sent + 7} of the ledger are not on Kafka yet" in sentence


async def test_a_log_without_checkpoints_is_compared_and_alone_unproven(trial: RelayTrial) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(20))
    status, sentence = await judge(trial, KEY)
    assert (status, "no checkpoint says what was signed" in sentence) == (0, True)
    assert (await judge(trial, KEY, with_ledger=False))[0] == UNPROVEN


async def test_a_young_log_is_verified_of_which_most_partitions_hold_nothing(trial: RelayTrial) -> None:
    for with_ledger in (True, False):
        status, sentence = await judge(trial, KEY, with_ledger=with_ledger)
        assert (status, "The log is empty, so nothing was verified" in sentence) == (UNPROVEN, True), sentence
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(1))
    status, sentence = await judge(trial, KEY)
    assert (status, "positions 1 to 1 are the same bytes" in sentence) == (0, True), sentence


async def test_what_is_foreign_is_named_and_repeats_are_compared(trial: RelayTrial) -> None:
    await filled(trial)
    [first, second, *_] = (await asyncio.to_thread(trial.read)).taken[1]
    producer = KafkaProducer(bootstrap_servers=trial.bootstrap)
    foreign = producer.send(EVENTS, b"{}", partition=0).get(30)
    repeat = Link(first.position, first.previous).headers()
    producer.send(EVENTS, first.value, first.key, repeat, partition=1).get(30)
    status, sentence = await judge(trial, KEY)
    assert status == 0
    assert f"1 foreign records are passed over (events.v1 partition 0 offset {foreign.offset})" in sentence
    assert "1 repeats say the same" in sentence
    producer.send(EVENTS, second.value, first.key, repeat, partition=1).get(30)
    producer.close()
    status, sentence = await judge(trial, KEY)
    assert (status, f"Position {first.position} is the first bad one" in sentence) == (ALTERED, True), sentence
    assert "repeats it with other bytes" in sentence


async def test_a_ledger_of_which_nothing_is_on_kafka_yet_is_no_empty_log(trial: RelayTrial) -> None:
    assert (await judge(trial))[1].startswith("The log is empty")
    head = await trial.append(3)
    status, sentence = await judge(trial)
    told = f"Nothing was verified: the ledger holds positions 1 to {head}, and position 1 is not on Kafka yet."
    assert (status, sentence.startswith(told)) == (UNPROVEN, True), sentence


async def test_whatever_a_stranger_writes_is_foreign(trial: RelayTrial) -> None:
    """Names that are no text, many headers, large ones, one name several times, what is packed, a moment of no year."""
    await filled(trial)
    at = TopicPartition(EVENTS, 0)
    await put(trial.bootstrap, at, batch_of([(b"x", b"{}", [(TOLD, b"y")]), (None, b"", [])]))
    link = Link(10_000, 0).headers()
    producer = KafkaProducer(bootstrap_servers=trial.bootstrap)
    for headers in (
        [("x", b"y")] * 1_000,
        [("x", b"y" * 900_000)],
        [*link, link[1]],
        [link[1], link[1], link[2]],
        [("x" * 30_000, b"")],
    ):
        producer.send(EVENTS, b"{}", b"x", headers, partition=0).get(30)
    producer.send(EVENTS, b"{}", b"x", partition=0, timestamp_ms=-9_000_000_000_000_000).get(30)
    producer.close()
    packing = KafkaProducer(bootstrap_servers=trial.bootstrap, compression_type="lz4")
    packing.send(EVENTS, b"{}" * 1_000, b"x", partition=0).get(30)
    packing.close()
    for with_ledger in (True, False):
        status, sentence = await judge(trial, KEY, with_ledger=with_ledger)
        assert (status, "9 foreign records are passed over" in sentence) == (0, True), sentence


async def test_history_altered_on_both_sides_differs_from_what_was_signed(trial: RelayTrial) -> None:
    signed = await filled(trial)
    wires = await wires_of(trial.ledger)
    change(wires, 70, mode="test")
    body = b"{" + wires[69][71:]
    await trial.owner.execute("set session_replication_role = replica")
    await trial.owner.execute("update ledger.event set body = $1 where position = 70", body)
    await asyncio.to_thread(rewrite, trial.bootstrap, wires)
    status, sentence = await judge(trial, KEY)
    assert (status, "between 54 and 107: they do not lead to the root" in sentence) == (ALTERED, True), sentence
    # cut back on both sides to before the second checkpoint, which only who kept it knows of
    await trial.owner.execute("delete from ledger.event where position > 60")
    await trial.owner.execute("update relay.progress set acknowledged = 60")
    await asyncio.to_thread(rewrite, trial.bootstrap, wires[:60])
    assert (await judge(trial, KEY))[0] == 0
    status, sentence = await judge(trial, KEY, kept=signed[1:])
    assert (status, "Position 61 is the first bad one: it is missing" in sentence) == (ALTERED, True), sentence


async def test_an_older_checkpoint_recorded_again_is_a_replay(trial: RelayTrial) -> None:
    signed = await filled(trial)
    async with trial.relaying():
        await append_checkpoint(trial.ledger, signed[0])
        await trial.until_acknowledged((await trial.ledger.head()).position)
    status, sentence = await judge(trial, KEY)
    assert (status, "Position 119 is the first bad one" in sentence) == (ALTERED, True)
    assert "replayed" in sentence


async def test_a_checkpoint_that_was_touched_on_kafka_is_bad_where_it_stands(trial: RelayTrial) -> None:
    await filled(trial)
    wires = await wires_of(trial.ledger)
    said = json.loads(wires[53])["data"]
    root, another = said["note"].split("\n")[2], "A" * 43 + "="
    for old, new, what in (
        (ORIGIN, "another.log", "of another log, 'another.log'"),
        (root, another, "not what was signed"),
        ("\n53\n", "\n54\n", "no later one than that before: replayed"),
        ("— ", "- ", "it records what is no checkpoint"),
    ):
        touched = [*wires]
        change(touched, 54, data=said | {"note": said["note"].replace(old, new)})
        await asyncio.to_thread(rewrite, trial.bootstrap, touched)
        for with_ledger in (True, False):
            status, sentence = await judge(trial, KEY, with_ledger=with_ledger)
            told = "Position 54 is the first bad one" in sentence and what in sentence
            assert (status, told) == (ALTERED, True), (new, sentence)


async def test_what_is_still_being_sent_is_no_fault_without_the_ledger(trial: RelayTrial) -> None:
    await filled(trial)
    wires = await wires_of(trial.ledger)
    everywhere = [number for number, wire in enumerate(wires, 1) if json.loads(wire)["partitionkey"] == "*"][-1]
    late = [wire for number, wire in enumerate(wires, 1) if number != everywhere]
    await asyncio.to_thread(rewrite, trial.bootstrap, late)
    status, sentence = await judge(trial, KEY, with_ledger=False)
    assert everywhere > 107
    assert (status, f"positions 1 to {everywhere - 1} are on Kafka" in sentence) == (0, True), sentence
    assert (await judge(trial, KEY))[0] == ALTERED
