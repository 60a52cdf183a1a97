"""All partitions read as one log: any history comes back in order, and whatever was changed in it is refused."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition

from events.alert import AlertIssued
from events.envelope import canonical
from events.vocabulary import EVERY_HOME
from services.ledger.ledger import Recorded
from services.local.topics import ALERTS, EVENTS
from services.log.record import Headers, Link
from services.relay.chain import Chains
from services.restoring import log as log_module
from services.restoring.damage import Damaged, Hole, NotRestored, OtherHistory
from services.restoring.log import KafkaLog

PARTITIONS = 3
EVERY = [TopicPartition(topic, number) for topic in (EVENTS, ALERTS) for number in range(PARTITIONS)]
BEGAN = datetime(2026, 5, 20, 4, 30, tzinfo=UTC)

Topics = dict[TopicPartition, list["Record"]]


@dataclass(frozen=True)
class Record:
    key: bytes
    value: bytes
    headers: Headers
    offset: int = 0


class Broker:
    """What `KafkaLog` asks of a consumer, over lists; it hands out a few records of some partitions at a time."""

    def __init__(self, topics: Topics, dice: random.Random) -> None:
        self._topics = {
            at: [replace(record, offset=offset) for offset, record in enumerate(records)]
            for at, records in topics.items()
        }
        self._dice = dice
        self._places = dict.fromkeys(topics, 0)
        self._paused: set[TopicPartition] = set()

    def beginning_offsets(self, every: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(every, 0)

    def end_offsets(self, every: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {at: len(self._topics[at]) for at in every}

    def assign(self, every: Sequence[TopicPartition]) -> None: ...

    def seek(self, at: TopicPartition, offset: int) -> None:
        self._places[at] = offset

    def pause(self, at: TopicPartition) -> None:
        self._paused.add(at)

    def resume(self, at: TopicPartition) -> None:
        self._paused.discard(at)

    def position(self, at: TopicPartition) -> int:
        return self._places[at]

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Record]]:
        found = {}
        for at, records in self._topics.items():
            if at not in self._paused and self._dice.random() < 0.5:
                begin, many = self._places[at], self._dice.randint(1, 4)
                if some := records[begin : begin + many]:
                    found[at] = some
                    self._places[at] += len(some)
        return found

    def close(self) -> None: ...


def a_row(position: int, home: str, event_type: str, **changes: object) -> Recorded:
    """A row as the ledger has it, with what the log is judged by."""
    attributes = {
        "id": str(UUID(int=position)),
        "type": event_type,
        "subject": f"test/{position}",
        "streamversion": 1,
        "partitionkey": home,
        "commandid": str(UUID(int=position + 1_000)),
        "commandmac": "ab" * 32,
    }
    return Recorded(
        position,
        f"test/{position}",
        1,
        UUID(int=position),
        event_type,
        home,
        BEGAN + timedelta(seconds=position),
        UUID(int=position + 1_000),
        b"\xab" * 32,
        canonical(attributes | changes),
    )


def a_history(dice: random.Random, count: int) -> list[Recorded]:
    rows = []
    for position in range(1, count + 1):
        home = dice.choice([EVERY_HOME, *(f"bi:home:{number}" for number in range(6))])
        alert = home != EVERY_HOME and dice.random() < 0.3
        rows.append(a_row(position, home, AlertIssued.name if alert else "test.noted"))
    return rows


def sent(rows: Sequence[Recorded]) -> Topics:
    """The topics as the relay fills them."""
    topics: Topics = {at: [] for at in EVERY}
    for batch in Chains(PARTITIONS, dict.fromkeys(EVERY, _Nowhere())).batches(rows, 0):  # type: ignore[arg-type]
        for one in batch.records:
            topics[one.at].append(Record(one.key, one.value, one.headers))
    return topics


class _Nowhere:
    last_position = 0


@pytest.fixture(autouse=True)
def few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little is read ahead that partitions wait for each other."""
    monkeypatch.setattr(log_module, "HELD_BYTES", 3_000)


def reading(topics: Topics, dice: random.Random) -> KafkaLog:
    broker = Broker(topics, dice)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_module, "_reader", lambda bootstrap, partitions: ({}, broker))
        return KafkaLog("", PARTITIONS)


def taken(log: KafkaLog) -> Iterator[Recorded]:
    position = 1
    while (row := log.take(position)) is not None:
        yield row
        position += 1


def take_all(log: KafkaLog, found: list[Recorded]) -> None:
    for row in taken(log):
        found.append(row)


@given(st.integers(0, 10**6), st.integers(0, 60))
def test_any_history_comes_back_as_it_was(seed: int, count: int) -> None:
    dice = random.Random(seed)
    rows = a_history(dice, count)
    topics = sent(rows)
    for records in topics.values():  # a frozen relay repeats, and strangers write between
        if records and dice.random() < 0.5:
            records.append(dice.choice(records))
        if dice.random() < 0.3:
            records.insert(dice.randint(0, len(records)), Record(b"", b"strange", []))
    assert list(taken(reading(topics, dice))) == rows


@given(st.integers(0, 10**6), st.integers(1, 60))
def test_an_end_that_was_torn_comes_back_up_to_the_first_event_that_is_nowhere(seed: int, count: int) -> None:
    dice = random.Random(seed)
    rows = a_history(dice, count)
    topics = sent(rows)
    for records in topics.values():
        del records[len(records) - dice.randint(0, min(3, len(records))) :]
    there = {record.headers[1][1] for records in topics.values() for record in records}
    wanted = []
    for row in rows:
        if b"%d" % row.position not in there:
            break
        wanted.append(row)
    behind = len(wanted) < len(there)
    found: list[Recorded] = []
    log = reading(topics, dice)
    if behind:
        with pytest.raises(Hole, match=f"--give-up-from {len(wanted) + 1} "):
            take_all(log, found)
    else:
        take_all(log, found)
    assert found == wanted


def change(topics: Topics, dice: random.Random) -> None:
    """Change something in the midst of a partition that no relay does."""
    at = dice.choice([at for at, records in topics.items() if len(records) > 1])
    records = topics[at]
    number = dice.randrange(len(records) - 1)  # not the last: who cuts an end is the relay too
    record = records[number]
    position = int(record.headers[1][1])
    other = dice.randrange(len(records))
    match dice.choice(["drop", "swap", "bytes", "key", "unspliced", "moved", "position"]):
        case "drop":
            del records[number]
        case "swap" if other != number:
            records[number], records[other] = records[other], record
        case "bytes" if sum(record.value in map(_value, one) for one in topics.values()) > 1:
            place = dice.randrange(len(record.value))
            altered = bytes([record.value[place] ^ dice.randint(1, 255)])
            records[number] = replace(record, value=record.value[:place] + altered + record.value[place + 1 :])
        case "key":
            records[number] = replace(record, key=record.key + b"x")
        case "unspliced":
            records[number] = replace(record, value=b"{" + record.value[record.value.index(b'"commandid"') :])
        case "moved":
            elsewhere = EVERY[(EVERY.index(at) + 1) % PARTITIONS]
            last = topics[elsewhere][-1].headers[1][1] if topics[elsewhere] else b"0"
            if int(last) < position:
                topics[elsewhere].append(replace(record, headers=Link(position, int(last)).headers()))
            del records[number]
        case _:
            records[number] = replace(record, headers=Link(position + 1_000, int(record.headers[2][1])).headers())


def _value(record: Record) -> bytes:
    return record.value


@given(st.integers(0, 10**6))
def test_whatever_was_changed_in_its_midst_is_refused_and_nothing_false_is_told(seed: int) -> None:
    dice = random.Random(seed)
    rows = a_history(dice, 40)
    wires = {row.position: row.wire() for row in rows}
    topics = sent(rows)
    before = {at: list(records) for at, records in topics.items()}
    change(topics, dice)
    if topics == before:
        return
    log = reading(topics, dice)
    found: list[Recorded] = []
    with pytest.raises(NotRestored):
        take_all(log, found)
    alone = [row for row in found if row.wire() != wires[row.position]]
    assert alone == []


def test_an_event_that_stands_in_one_partition_alone_is_known_again_only_by_its_form() -> None:
    """Bytes that are canonical JSON again are for whoever has the ledger or a checkpoint to find."""
    rows = a_history(random.Random(1), 5)
    other = replace(rows[2], body=a_row(3, rows[2].home, rows[2].type, data="another").body)
    topics = sent([*rows[:2], other, *rows[3:]])
    assert list(taken(reading(topics, random.Random(2))))[2] == other
    log = reading(topics, random.Random(3))
    for row in rows[:2]:
        log.take(row.position, row)
    with pytest.raises(OtherHistory, match="holds another event there"):
        log.take(3, rows[2])


@given(st.integers(0, 10**6))
def test_the_rows_of_the_ledger_fill_what_kafka_does_not_have_yet_and_nothing_else(seed: int) -> None:
    dice = random.Random(seed)
    rows = a_history(dice, 30)
    known = dice.randint(0, 30)
    topics = sent(rows)
    for records in topics.values():
        del records[len(records) - dice.randint(0, min(2, len(records))) :]
    log = reading(topics, dice)
    for row in rows[:known]:
        assert log.take(row.position, row) == row
    there = {record.headers[1][1] for records in topics.values() for record in records}
    if all(b"%d" % row.position in there for row in rows[known:]):
        position = known + 1
        while (found := log.take(position)) is not None:
            assert found == rows[position - 1]
            position += 1
        assert position == len(rows) + 1


def test_a_broadcast_that_one_partition_lacks_is_damage_where_that_goes_on() -> None:
    rows = [
        a_row(1, EVERY_HOME, "test.noted"),
        *(a_row(number, f"bi:home:{number}", "test.noted") for number in range(2, 9)),
    ]
    topics = sent(rows)
    at = EVERY[0]
    after = topics[at][1]
    topics[at][:2] = [replace(after, headers=Link(int(after.headers[1][1]), 0).headers())]
    with pytest.raises(Damaged, match="lacks position 1, which belongs there"):
        list(taken(reading(topics, random.Random(1))))


def test_what_is_given_up_is_all_that_was_not_taken() -> None:
    rows = a_history(random.Random(5), 40)
    topics = sent(rows)
    log = reading(topics, random.Random(1))
    for row in rows[:10]:
        log.take(row.position)
    rest = {front.value for _, front in log.rest()}
    assert rest == {row.wire() for row in rows[10:]}
