"""Whatever a superuser does to the ledger, or whoever writes to Kafka to a topic, the first bad position is named."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Sequence

from kafka import KafkaProducer

from services.audit.offline.verify import (
    ALTERED,
    ANOTHER_LOG,
    KEY_UNKNOWN,
    UNPROVEN,
    Verdict,
    keys_said,
    read_checkpoints,
    witnesses_said,
)
from services.audit.verifying import Asked, verify
from services.local.topics import EVENTS
from services.log.record import Link
from tests.support.checkpoints import append_checkpoint, checkpoint, cosign, wires_of
from tests.support.examples import tries
from tests.support.ledgers import an_alert
from tests.support.relays import HOMES, RelayTrial
from tests.support.rewritten import as_sent, rewrite
from tests.support.signed_logs import ORIGIN, LogKey, note, size_of
from tests.support.tamperings import TAMPERINGS, change

KEY, STRANGER = LogKey("one"), LogKey("stranger")
WITNESS = LogKey("witness", "witness.example/w", 4)


def keys(*of: LogKey) -> Sequence[str]:
    return [key.vkey for key in of]


async def judge(
    trial: RelayTrial,
    *,
    key: LogKey | None = KEY,
    kept: Sequence[str] = (),
    with_ledger: bool = True,
    witness: LogKey | None = None,
) -> tuple[int, str]:
    """Status and sentence on the servers of a trial."""
    stated = [one for text in kept for one in read_checkpoints(text, "kept", 2)]
    dsn = trial.app_dsn if with_ledger else None
    try:
        demanded = witnesses_said([witness.vkey] if witness else [])
        given = keys_said([key.vkey] if key else [])
        verified = await verify(Asked(trial.bootstrap, dsn, given, stated, witnesses=demanded))
    except Verdict as verdict:
        return verdict.status, str(verdict)
    return 0, verified.sentence(with_ledger)


async def filled(trial: RelayTrial) -> list[str]:
    """Some events, alerts among them, and two checkpoints, all on Kafka; returns the checkpoints."""
    signed = []
    async with trial.relaying():
        for round_ in range(2):
            await trial.append(50)
            for home in HOMES[:3]:
                await trial.submit(an_alert(home, round_ + 1))
            signed.append(await checkpoint(trial.ledger, KEY))
        await trial.until_acknowledged(await trial.append(10))
    return signed


async def test_history_as_it_was_is_verified(trial: RelayTrial) -> None:
    signed = await filled(trial)
    status, sentence = await judge(trial, kept=signed[:1])
    assert (status, "the same bytes in the ledger and on Kafka" in sentence) == (0, True), sentence
    assert f"3 checkpoints of {ORIGIN}" in sentence
    assert "no checkpoint covers positions 108 to 118 yet" in sentence
    assert "no key was given" in (await judge(trial, key=None))[1]
    status, sentence = await judge(trial, with_ledger=False)
    assert (status, "positions 1 to 118 are on Kafka, in unbroken chains over 6 partitions" in sentence) == (0, True)
    assert (await judge(trial, key=STRANGER))[0] == KEY_UNKNOWN
    other = note(await wires_of(trial.ledger), 20, LogKey("one", "another.log"), origin="another.log")
    assert (await judge(trial, kept=[other]))[0] == ANOTHER_LOG
    cut = note([*await wires_of(trial.ledger), b"{}"], 119, KEY)
    status, sentence = await judge(trial, kept=[cut])
    assert (status, "Position 119 is the first bad one: it is missing" in sentence) == (ALTERED, True)


async def test_whoever_is_demanded_as_a_witness_cosigned_or_nothing_is_proven(trial: RelayTrial) -> None:
    signed = await filled(trial)
    size = size_of(signed[0])
    status, sentence = await judge(trial, witness=WITNESS)
    assert (status, sentence.startswith("Not witnessed: no checkpoint bears a cosignature")) == (UNPROVEN, True)
    cosigned = await cosign(trial.owner_dsn, signed[0], WITNESS)
    status, sentence = await judge(trial, key=None, witness=WITNESS)
    assert (status, f"witnessed by {WITNESS.name} up to position {size}" in sentence) == (0, True), sentence
    status, sentence = await judge(trial, witness=WITNESS, with_ledger=False, kept=[cosigned])
    assert (status, f"witnessed by {WITNESS.name} up to position {size}" in sentence) == (0, True), sentence
    other = WITNESS.line("what it never saw\n")
    await cosign(trial.owner_dsn, signed[1], WITNESS, line=other)
    status, sentence = await judge(trial, witness=WITNESS)
    told = f"The checkpoint of size {size_of(signed[1])} is not what the witness {WITNESS.name} cosigned"
    assert (status, sentence.startswith(told)) == (ALTERED, True), sentence
    await trial.owner.execute("update notary.cosignature set line = 'nonsense'")
    status, sentence = await judge(trial, witness=WITNESS)
    assert (status, "What is kept as a cosignature of" in sentence) == (ALTERED, True), sentence


async def test_a_log_without_checkpoints_is_compared_and_alone_unproven(trial: RelayTrial) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(20))
    status, sentence = await judge(trial)
    assert (status, "no checkpoint says what was signed" in sentence) == (0, True)
    assert (await judge(trial, with_ledger=False))[0] == UNPROVEN


async def test_a_young_log_is_verified_of_which_most_partitions_hold_nothing(trial: RelayTrial) -> None:
    for with_ledger in (True, False):
        status, sentence = await judge(trial, with_ledger=with_ledger)
        assert (status, "The log is empty, so nothing was verified" in sentence) == (UNPROVEN, True), sentence
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(1))
    status, sentence = await judge(trial)
    assert (status, "positions 1 to 1 are the same bytes" in sentence) == (0, True), sentence


async def test_what_is_foreign_is_named_and_repeats_are_compared(trial: RelayTrial) -> None:
    await filled(trial)
    [first, second, *_] = (await asyncio.to_thread(trial.read)).taken[1]
    producer = KafkaProducer(bootstrap_servers=trial.bootstrap)
    foreign = producer.send(EVENTS, b"{}", partition=0).get(30)
    repeat = Link(first.position, first.previous).headers()
    producer.send(EVENTS, first.value, first.key, repeat, partition=1).get(30)
    status, sentence = await judge(trial)
    assert status == 0
    assert f"1 foreign records are passed over (events.v1 partition 0 offset {foreign.offset})" in sentence
    assert "1 repeats say the same" in sentence
    producer.send(EVENTS, second.value, first.key, repeat, partition=1).get(30)
    producer.close()
    status, sentence = await judge(trial)
    assert (status, f"Position {first.position} is the first bad one" in sentence) == (ALTERED, True), sentence
    assert "repeats it with other bytes" in sentence


SUPERUSER = {
    "edits": "update ledger.event set body = overlay(body placing 'x' from 15) where position = $1",
    "changes a type": "update ledger.event set type = 'test.other' where position = $1",
    "moves to another stream": "update ledger.event set stream = 'test/other', version = 1 where position = $1",
    "moves to another home": "update ledger.event set home = 'bi:home:9' where position = $1",
    "gives to another command": "update ledger.event set command_mac = '\\x00' where position = $1",
    "drops": "delete from ledger.event where position = $1",
    "backdates": "update ledger.event set recorded_at = recorded_at - interval '1 hour' where position = $1",
    "swaps": """update ledger.event set position = case position when $1 then -1 else $1 end
        where position in ($1, $1 + 1);
        update ledger.event set position = $1 + 1 where position = -1""",
    "truncates": "delete from ledger.event where position >= $1",
    "forks": "update ledger.event set body = overlay(body placing 'x' from 15) where position >= $1",
    "truncates, and what the relay knows": """delete from ledger.event where position >= $1;
        update relay.progress set acknowledged = $1 - 1""",
}
"""What a superuser does from a position on; `swaps` is with the one behind it."""


async def test_whatever_a_superuser_does_to_the_ledger_is_found(trial: RelayTrial) -> None:
    await filled(trial)
    await trial.owner.execute("create table saved as table ledger.event; create table progress as table relay.progress")
    await trial.owner.execute("set session_replication_role = replica")
    for name, statements in [*SUPERUSER.items()] * tries(1):
        position = random.randint(2, 100)
        for statement in statements.replace("$1", str(position)).split(";"):
            await trial.owner.execute(statement)
        status, sentence = await judge(trial)
        assert (status, f"Position {position} is the first bad one" in sentence) == (ALTERED, True), (name, sentence)
        if name == "edits":
            assert "ledger and Kafka hold different bytes; Kafka leads to the root" in sentence
        await trial.owner.execute(
            "delete from ledger.event; insert into ledger.event select * from saved;"
            "update relay.progress set acknowledged = (select acknowledged from progress)"
        )
    assert (await judge(trial))[0] == 0


async def test_whatever_is_written_to_a_topic_anew_is_found(trial: RelayTrial) -> None:
    """A few ways each time, as every one makes the topics anew; without the ledger between two checkpoints."""
    await filled(trial)
    wires = await wires_of(trial.ledger)
    for name in random.sample(sorted(TAMPERINGS) * tries(1), tries(4)):
        position = random.randint(2, 100)
        tampered = [*wires]
        first = TAMPERINGS[name](tampered, position)
        await asyncio.to_thread(rewrite, trial.bootstrap, tampered)
        status, sentence = await judge(trial)
        if as_sent(tampered) == as_sent(wires):
            # repeated: what is not above the last is dropped by every reader; swapped: two of different partitions
            assert status == 0, (name, position, sentence)
            assert name in ("repeat", "swap")
            continue
        assert status == ALTERED, (name, position, sentence)
        assert f"Position {first} is the first bad one" in sentence, (name, position, sentence)
        status, sentence = await judge(trial, with_ledger=False)
        if name == "truncate":  # alone, a log that was cut short is one that had not grown longer yet
            assert status == (0 if any(b"custody.log_checkpointed" in wire for wire in tampered) else UNPROVEN)
            continue
        assert status == ALTERED, (name, position, sentence)
        if between := re.search(r"between (\d+) and (\d+)", sentence):
            assert int(between[1]) <= first <= int(between[2]), (name, position, sentence)


async def test_history_altered_on_both_sides_differs_from_what_was_signed(trial: RelayTrial) -> None:
    signed = await filled(trial)
    wires = await wires_of(trial.ledger)
    change(wires, 70, mode="test")
    body = b"{" + wires[69][71:]
    await trial.owner.execute("set session_replication_role = replica")
    await trial.owner.execute("update ledger.event set body = $1 where position = 70", body)
    await asyncio.to_thread(rewrite, trial.bootstrap, wires)
    status, sentence = await judge(trial)
    assert (status, "between 54 and 107: they do not lead to the root" in sentence) == (ALTERED, True), sentence
    # cut back on both sides to before the second checkpoint, which only who kept it knows of
    await trial.owner.execute("delete from ledger.event where position > 60")
    await trial.owner.execute("update relay.progress set acknowledged = 60")
    await asyncio.to_thread(rewrite, trial.bootstrap, wires[:60])
    assert (await judge(trial))[0] == 0
    status, sentence = await judge(trial, kept=signed[1:])
    assert (status, "Position 61 is the first bad one: it is missing" in sentence) == (ALTERED, True), sentence


async def test_an_older_checkpoint_recorded_again_is_a_replay(trial: RelayTrial) -> None:
    signed = await filled(trial)
    async with trial.relaying():
        await append_checkpoint(trial.ledger, signed[0])
        await trial.until_acknowledged((await trial.ledger.head()).position)
    status, sentence = await judge(trial)
    assert (status, "Position 119 is the first bad one" in sentence) == (ALTERED, True)
    assert "replayed" in sentence


async def test_what_is_still_being_sent_is_no_fault_without_the_ledger(trial: RelayTrial) -> None:
    await filled(trial)
    wires = await wires_of(trial.ledger)
    everywhere = [number for number, wire in enumerate(wires, 1) if json.loads(wire)["partitionkey"] == "*"][-1]
    late = [wire for number, wire in enumerate(wires, 1) if number != everywhere]
    await asyncio.to_thread(rewrite, trial.bootstrap, late)
    status, sentence = await judge(trial, with_ledger=False)
    assert everywhere > 107
    assert (status, f"positions 1 to {everywhere - 1} are on Kafka" in sentence) == (0, True), sentence
    assert (await judge(trial))[0] == ALTERED
