"""Both topics, by the reading rule of the contract, against what the ledger's rows must look like there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.faults.checker import repeats
from tests.faults.checker.findings import Findings
from tests.faults.checker.history import Past, Put
from tests.faults.checker.ledger import EVERYWHERE, Row
from tests.faults.checker.records import ALERTS, EVENTS, Record, Topics
from tests.faults.checker.repeats import Repeat


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


def judge(topics: Topics, rows: Sequence[Row], past: Past, found: Findings) -> dict[str, int]:
    """Each partition against the ledger; returns how many records were repeats, and how many foreign."""
    again: list[Repeat] = []
    foreign: Counter[Put] = Counter()
    head = rows[-1].position if rows else 0
    for topic, partitions in topics.items():
        many = len(partitions)
        wanted: dict[int, list[Row]] = {one: [] for one in partitions}
        for row in rows:
            if topic == ALERTS and row.type != "alert.issued":
                continue
            everywhere = row.home == EVERYWHERE and topic == EVENTS
            for one in range(many) if everywhere else (murmur2(row.home.encode()) % many,):
                wanted[one].append(row)
        for one, its in partitions.items():
            taken = _read(topic, one, its, again, foreign, found)
            _compare(f"{topic} {one}", taken, wanted[one], head, found)
    repeats.judge(again, topics, past, found)
    put = Counter(one for fault in past.faults for one in fault.put)
    for at, count in (foreign - put).items():
        sentence = f"{count} records in {at.topic} {at.partition} are not ours, and no strike says that it put them."
        found.add("foreign_without_cause", sentence)
    return {"repeats": len(again), "foreign": foreign.total()}


def _read(
    topic: str, number: int, records: Sequence[Record], again: list[Repeat], foreign: Counter[Put], found: Findings
) -> dict[int, bytes]:
    """What a reader takes, by position."""
    last = 0
    taken: dict[int, Record] = {}
    for record in records:
        link = record.link
        if link is None:
            foreign[Put(topic, number, None)] += 1
            continue
        position, previous = link
        where = f"{topic} {number}"
        if position <= last:
            if position not in taken:
                found.add("out_of_turn", f"{where} has {position} after {last}, and had not had it.", position)
                continue
            again.append(Repeat(topic, number, record, position, taken[position].sender, last))
            if taken[position].value != record.value:
                found.add("repeat_differs", f"{where} repeats {position} with other bytes.", position)
            continue
        if previous != last:
            found.add("chain_broken", f"{where}: {position} says it follows {previous}, and {last} is there.", position)
        taken[position], last = record, position
    return {position: record.value for position, record in taken.items()}


def _compare(where: str, taken: dict[int, bytes], wanted: Sequence[Row], head: int, found: Findings) -> None:
    """What a reader takes is what the ledger has for this partition."""
    for row in wanted:
        if row.position not in taken:
            found.add("partition_misses", f"{where} has no {row.type} of position {row.position}.", row.position)
        elif taken[row.position] != row.bytes_on_the_wire:
            found.add("bytes_differ", f"{where} has other bytes for {row.position} than the ledger.", row.position)
    for position in sorted(taken.keys() - {row.position for row in wanted}):
        if position > head:
            continue  # recorded since the ledger was read
        found.add("not_of_this_partition", f"{where} has position {position}, which does not belong there.", position)
