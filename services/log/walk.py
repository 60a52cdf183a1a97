"""Partitions read abreast, each in its own order, from offsets on to where they ended; none waits for another."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Set
from typing import Any

from kafka import KafkaConsumer, TopicPartition

POLL_MS = 500
SILENCE_SECONDS = 30.0


class Silence(Exception):
    """A broker sends nothing more of a partition that has not come to its end; `at` is one such."""

    def __init__(self, at: TopicPartition) -> None:
        self.at = at
        super().__init__(f"{at.topic}, partition {at.partition}")


class Walk:
    """One way through some partitions, from `begins` on and up to the offsets `ends`; what comes behind is not read.

    It blocks, and raises KafkaError and Silence. The consumer has no group and stays its owner's, who may walk with it
    again once this walk is over.
    """

    def __init__(
        self,
        consumer: KafkaConsumer,
        begins: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._consumer = consumer
        self._silence_seconds = silence_seconds
        self._ends = {at: ends[at] for at, offset in begins.items() if offset < ends[at]}
        self._held: set[TopicPartition] = set()
        self.offsets = dict(begins)
        """How far each partition was read: what comes next of it has this offset or a higher one."""
        consumer.assign([*self._ends])
        for at in self._ends:
            consumer.seek(at, begins[at])
            consumer.resume(at)  # an earlier walk may have left it

    @property
    def under_way(self) -> Set[TopicPartition]:
        """The partitions that have not come to their ends."""
        return self._ends.keys()

    def next(self) -> Mapping[TopicPartition, Sequence[Any]]:
        """What comes next, of those partitions that are under way and not held.

        A partition may come to its end without a record: a transaction's marker has an offset and is none.
        """
        heard = time.monotonic()
        while waiting := [at for at in self._ends if at not in self._held]:
            fetched: Mapping[TopicPartition, Sequence[Any]] = self._consumer.poll(timeout_ms=POLL_MS)
            found = {at: before for at, records in fetched.items() if (before := self._before_its_end(at, records))}
            moved = False
            for at in waiting:
                offset = self._consumer.position(at)
                moved = moved or offset > self.offsets[at]
                self.offsets[at] = min(offset, self._ends[at])
                if offset >= self._ends[at]:
                    self.leave(at)
            if moved:
                return found
            if time.monotonic() - heard > self._silence_seconds:
                raise Silence(waiting[0])
        return {}

    def _before_its_end(self, at: TopicPartition, records: Sequence[Any]) -> Sequence[Any]:
        end = self._ends.get(at, 0)
        if records[-1].offset < end:
            return records
        return [record for record in records if record.offset < end]

    def hold(self, at: TopicPartition) -> None:
        """Read no more of a partition for now."""
        if at in self._ends and at not in self._held:
            self._consumer.pause(at)
            self._held.add(at)

    def go_on(self, at: TopicPartition) -> None:
        """Read on where it was held."""
        if at in self._held:
            self._consumer.resume(at)
            self._held.discard(at)

    def leave(self, at: TopicPartition) -> None:
        """Read no more of a partition at all: it counts as having come to its end."""
        if self._ends.pop(at, None) is not None:
            self._consumer.pause(at)
            self._held.discard(at)
