"""Which repeats on Kafka may be there: what a relay had on its way when it was frozen or replaced, and no more.

A relay reads how a partition ends before it sends, checks the offset of each record that it sent, never sends one
twice, and has one batch a partition on its way. So a position stands there twice only where two producers sent it, each
without having seen the other's; and that shows:

1. It was on its way. What had been acknowledged when the fault struck is not sent again by anybody, nor what came into
   the ledger when all was well again; and when all was well, nothing was on its way any more. So the position, and
   whatever its partition held by then, lie between the two.
2. Two producers sent it. The broker numbers them, and each of a relay's lives has a new one.
3. Whoever repeats is at its end. The record went to another offset than was due, so nothing but the rest of its batch
   comes from it into that partition. A relay that begins without looking where it stands goes on, and is seen by this.

These are moments in positions, not of a clock: the clocks of a stack may be what was struck. Besides, a strike may put
records there itself; it says which in its history, under `put`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tests.faults.checker.findings import Findings
from tests.faults.checker.history import Past, Put
from tests.faults.checker.records import Record


class Repeat(NamedTuple):
    """A record whose position stood in its partition before."""

    topic: str
    partition: int
    record: Record
    position: int
    first_sender: int
    reached: int
    """The highest position of the partition when it came."""


def judge(repeats: Sequence[Repeat], topics: dict[str, dict[int, list[Record]]], past: Past, found: Findings) -> None:
    """Each repeat has a cause, or is found."""
    put = Counter(one for fault in past.faults for one in fault.put)
    ends: dict[tuple[str, int, int], int] = {}
    for topic, partitions in topics.items():
        for number, records in partitions.items():
            ends |= {(topic, number, one.sender): one.batch for one in records if one.link}
    for one in repeats:
        stranger = Put(one.topic, one.partition, one.position)
        if put[stranger] > 0:
            put[stranger] -= 1
            continue
        where = f"{one.topic} {one.partition}, offset {one.record.offset}: {one.position} is there again"
        if not any(fault.had_on_its_way(one.position, one.reached) for fault in past.faults):
            found.add(
                "repeated_without_cause",
                f"{where}, after {one.reached}, and was not on its way when a fault struck.",
                one.position,
            )
        elif one.record.sender == one.first_sender:
            found.add("repeated_without_cause", f"{where}, from the producer that had sent it.", one.position)
        elif ends[one.topic, one.partition, one.record.sender] != one.record.batch:
            found.add("repeated_without_cause", f"{where}, from a producer that went on sending.", one.position)
