"""Both topics, read as the contract says, against what the ledger's rows must look like there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from tests.faults.checker.findings import Findings
from tests.faults.checker.ledger import Row

EVENTS, ALERTS = "events.v1", "alerts.v1"
EVERYWHERE = "*"
OURS = {"content-type", "position", "previous"}
READ_SECONDS = 120
COME_SECONDS = 20
"""A tick may have been recorded just before the ledger was read."""

MAY_REPEAT = ("relay", "supervisor", "kafka", "postgres", "frozen", "records")
"""A fault whose name has one of these can make a relay send again what it has sent."""


class Unreadable(Exception):
    """A topic could not be read to its end."""


def murmur2(data: bytes) -> int:
    """The hash by which Kafka's Java clients choose a partition, its sign bit taken off."""
    m, word = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    cut = len(data) - len(data) % 4
    for at in range(0, cut, 4):
        k = (int.from_bytes(data[at : at + 4], "little") * m) & word
        k ^= k >> 24
        h = ((h * m) & word) ^ ((k * m) & word)
    for shift, byte in reversed(list(enumerate(data[cut:]))):
        h ^= byte << (8 * shift)
    if cut < len(data):
        h = (h * m) & word
    h ^= h >> 13
    h = (h * m) & word
    return (h ^ (h >> 15)) & 0x7FFFFFFF


def read(bootstrap: str) -> dict[str, dict[int, list[Any]]]:
    """Every record of both topics, by partition, in order of offset."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, max_poll_records=5_000)
    try:
        places = [TopicPartition(topic, one) for topic in (EVENTS, ALERTS) for one in _partitions(consumer, topic)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        records: dict[str, dict[int, list[Any]]] = {EVENTS: {}, ALERTS: {}}
        for at in places:
            records[at.topic][at.partition] = []
        deadline = time.monotonic() + READ_SECONDS
        while any(consumer.position(at) < ends[at] for at in places):
            if time.monotonic() > deadline:
                raise Unreadable(f"the topics could not be read to their ends within {READ_SECONDS} s")
            for at, some in consumer.poll(timeout_ms=500).items():
                records[at.topic][at.partition].extend(some)
        return records
    finally:
        consumer.close()


def read_all_of(rows: Sequence[Row], bootstrap: str) -> dict[str, dict[int, list[Any]]]:
    """Read until everything of the ledger has come, or a little longer than that ever takes."""
    deadline = time.monotonic() + COME_SECONDS
    while True:
        records = read(bootstrap)
        there = {dict(one.headers).get("position") for its in records[EVENTS].values() for one in its}
        if time.monotonic() > deadline or all(b"%d" % row.position in there for row in rows):
            return records
        time.sleep(0.5)


def _partitions(consumer: KafkaConsumer, topic: str) -> list[int]:
    found = consumer.partitions_for_topic(topic)
    if not found:
        raise Unreadable(f"the topic {topic} is not there")
    return sorted(found)


def judge(
    records: dict[str, dict[int, list[Any]]], rows: Sequence[Row], faults: Sequence[str], found: Findings
) -> dict[str, int]:
    """Each partition against the ledger; returns how many records were repeats, and how many foreign."""
    counts = {"repeats": 0, "foreign": 0}
    head = rows[-1].position if rows else 0
    for topic, partitions in records.items():
        many = len(partitions)
        wanted: dict[int, list[Row]] = {one: [] for one in partitions}
        for row in rows:
            if topic == ALERTS and row.type != "alert.issued":
                continue
            everywhere = row.home == EVERYWHERE and topic == EVENTS
            for one in range(many) if everywhere else (murmur2(row.home.encode()) % many,):
                wanted[one].append(row)
        for one, its in partitions.items():
            _partition(f"{topic} {one}", its, wanted[one], head, counts, found)
    if counts["repeats"] and not any(part in fault for fault in faults for part in MAY_REPEAT):
        found.add("repeated_without_cause", f"{counts['repeats']} records were sent twice and no fault explains it.")
    if counts["foreign"] and not any("record" in fault for fault in faults):
        found.add("foreign_without_cause", f"{counts['foreign']} records are not ours and nobody put them there.")
    return counts


def _partition(
    where: str, records: Sequence[Any], wanted: Sequence[Row], head: int, counts: dict[str, int], found: Findings
) -> None:
    last = 0
    taken: dict[int, bytes] = {}
    for record in records:
        stated = dict(record.headers)
        if len(record.headers) != 3 or set(stated) != OURS:
            counts["foreign"] += 1
            continue
        position, previous = int(stated["position"]), int(stated["previous"])
        if position <= last:
            counts["repeats"] += 1
            if taken.get(position) != record.value:
                found.add("repeat_differs", f"{where} repeats {position} with other bytes.", position)
            continue
        if previous != last:
            found.add("chain_broken", f"{where}: {position} says it follows {previous}, and {last} is there.", position)
        taken[position], last = record.value, position
    by_position = {row.position: row for row in wanted}
    for row in wanted:
        if row.position not in taken:
            found.add("partition_misses", f"{where} has no {row.type} of position {row.position}.", row.position)
        elif taken[row.position] != row.bytes_on_the_wire:
            found.add("bytes_differ", f"{where} has other bytes for {row.position} than the ledger.", row.position)
    for position in taken.keys() - by_position.keys():
        if position > head:
            continue  # recorded since the ledger was read
        found.add("not_of_this_partition", f"{where} has position {position}, which does not belong there.", position)
