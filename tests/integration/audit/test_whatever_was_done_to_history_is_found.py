"""Whatever a superuser does to the ledger, or whoever writes to Kafka to a topic, the first bad position is named.

`INTABAZA_EXAMPLES=1000` tries as many random positions on each side, in turn over all kinds.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Iterator, Sequence
from itertools import cycle, islice

import pytest

from events.envelope import unsplice
from services.audit import verifying
from services.tlog.offline.verify import ALTERED, KEY_UNKNOWN, UNPROVEN
from tests.support.checkpoints import wires_of
from tests.support.examples import tries
from tests.support.relays import RelayTrial
from tests.support.rewritten import as_sent, rewrite
from tests.support.signed_logs import LogKey, size_of
from tests.support.tamperings import TAMPERINGS, sign_again
from tests.support.verifying import KEY, filled, in_turn, judge

NEW = LogKey("new")

STATEMENTS = {
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
    "inserts": """update ledger.event set position = -position where position >= $1;
        update ledger.event set position = 1 - position where position < 0;
        insert into ledger.event (position, stream, version, event_id, type, home, recorded_at, command_id,
            command_mac, body, splice_version)
        select $1, 'test/invented', 1, gen_random_uuid(), type, home, recorded_at, command_id, command_mac, body,
            splice_version from ledger.event where position = $1 + 1""",
    "truncates": "delete from ledger.event where position >= $1",
    "forks": "update ledger.event set body = overlay(body placing 'x' from 15) where position >= $1",
    "truncates, and what the relay knows": """delete from ledger.event where position >= $1;
        update relay.progress set acknowledged = $1 - 1""",
}
"""What a superuser does by a statement, to rows or columns, from a position on; `swaps` is with the one behind it."""


@pytest.fixture(autouse=True)
def _without_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tests of `verify` have a process a share."""
    monkeypatch.setattr(verifying, "abreast", in_turn)


def at_random(names: Sequence[str], most: int, few: int) -> Iterator[tuple[str, int]]:
    """Kinds in turn, beginning with any, each at any position up to the last that was signed."""
    shuffled = random.sample(names, len(names))
    for name in islice(cycle(shuffled), tries(few)):
        yield name, random.randint(1, most)


async def test_whatever_a_superuser_does_to_the_ledger_by_a_statement_is_found(trial: RelayTrial) -> None:
    covered = size_of((await filled(trial))[-1])
    await _as_superuser(trial)
    for name, position in at_random([*STATEMENTS], covered, len(STATEMENTS)):
        for statement in STATEMENTS[name].replace("$1", str(position)).split(";"):
            await trial.owner.execute(statement)
        status, sentence = await judge(trial, KEY)
        told = f"Position {position} is the first bad one" in sentence
        assert (status, told) == (ALTERED, True), (name, position, sentence)
        if name == "edits":
            assert "ledger and Kafka hold different bytes; Kafka leads to the root" in sentence
        await _undo(trial)
    assert (await judge(trial, KEY))[0] == 0


async def test_whatever_a_superuser_makes_of_history_is_found_where_rows_and_events_agree(trial: RelayTrial) -> None:
    """Every row is as the ledger would have written it, had that been history."""
    covered = size_of((await filled(trial, text="c2VhbGVk"))[-1])
    wires = await wires_of(trial.ledger)
    await _as_superuser(trial)
    for name, position in at_random([*TAMPERINGS], covered, len(TAMPERINGS)):
        tampered = [*wires]
        first = TAMPERINGS[name](tampered, position)
        await _write(trial, tampered)
        status, sentence = await judge(trial, KEY)
        if name == "swap":  # rows stand in no order but that of their positions
            assert status == 0, (position, sentence)
        else:
            told = f"Position {first} is the first bad one" in sentence
            assert (status, told) == (ALTERED, True), (name, position, sentence)
        await _undo(trial)
    assert (await judge(trial, KEY))[0] == 0


async def test_whatever_is_written_to_a_topic_anew_is_found(trial: RelayTrial) -> None:
    """A few ways each time, as every one makes the topics anew; without the ledger between two checkpoints."""
    covered = size_of((await filled(trial))[-1])
    wires = await wires_of(trial.ledger)
    for name, position in at_random([*TAMPERINGS], covered, 5):
        tampered = [*wires]
        first = TAMPERINGS[name](tampered, position)
        await asyncio.to_thread(rewrite, trial.bootstrap, tampered)
        status, sentence = await judge(trial, KEY)
        if as_sent(tampered) == as_sent(wires):
            # repeated: what is not above the last is dropped by every reader; swapped: two of different partitions
            assert status == 0, (name, position, sentence)
            assert name in ("repeat", "swap")
            continue
        assert status == ALTERED, (name, position, sentence)
        assert f"Position {first} is the first bad one" in sentence, (name, position, sentence)
        status, sentence = await judge(trial, KEY, with_ledger=False)
        if name == "truncate":  # alone, a log that was cut short is one that had not grown longer yet
            assert status == (0 if any(b"custody.log_checkpointed" in wire for wire in tampered) else UNPROVEN)
            continue
        assert status == ALTERED, (name, position, sentence)
        if between := re.search(r"between (\d+) and (\d+)", sentence):
            assert int(between[1]) <= first <= int(between[2]), (name, position, sentence)


async def test_history_that_was_signed_anew_with_a_replaced_key_is_found(trial: RelayTrial) -> None:
    """Both in the ledger and on Kafka; by its order where the new key has signed before, else by who knows that key."""
    first, replaced, last = map(size_of, await filled(trial, [KEY], [KEY, NEW], [NEW]))
    wires = await wires_of(trial.ledger)
    await _as_superuser(trial)
    for _ in range(tries(2)):
        position = random.randint(1, last)
        tampered = [*wires]
        sign_again(tampered, position, KEY)
        await _write(trial, tampered)
        await asyncio.to_thread(rewrite, trial.bootstrap, tampered)
        for with_ledger in (True, False):
            status, sentence = await judge(trial, KEY, NEW, with_ledger=with_ledger)
            if position <= replaced:
                told = "which is not the last of the keys given" in sentence
                assert (status, told) == (KEY_UNKNOWN, True), (position, sentence)
            else:
                told = f"behind position {replaced}: the checkpoint of size {last} is signed by a key" in sentence
                assert (status, told) == (ALTERED, True), (position, sentence)
        await _undo(trial)
    assert first < replaced < last


async def _as_superuser(trial: RelayTrial) -> None:
    """No trigger and no constraint is in the way, and what there was is kept."""
    await trial.owner.execute(
        "create table saved as table ledger.event; create table progress as table relay.progress;"
        "set session_replication_role = replica;"
        "alter table ledger.event drop constraint event_pkey, drop constraint event_event_id_key,"
        " drop constraint event_stream_version_key"
    )


async def _undo(trial: RelayTrial) -> None:
    await trial.owner.execute(
        "delete from ledger.event; insert into ledger.event select * from saved;"
        "update relay.progress set acknowledged = (select acknowledged from progress)"
    )


async def _write(trial: RelayTrial, wires: Sequence[bytes]) -> None:
    """The ledger holds these events and nothing else."""
    rows = []
    for wire in wires:
        event, stored = json.loads(wire), unsplice(wire)
        rows.append((
            stored.position, event["subject"], event["streamversion"], event["id"], event["type"],
            event["partitionkey"], stored.recorded_at, event["commandid"], bytes.fromhex(event["commandmac"]),
            stored.body, stored.version,
        ))  # fmt: skip
    await trial.owner.execute("delete from ledger.event")
    await trial.owner.executemany(
        "insert into ledger.event (position, stream, version, event_id, type, home, recorded_at, command_id,"
        " command_mac, body, splice_version)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        rows,
    )
