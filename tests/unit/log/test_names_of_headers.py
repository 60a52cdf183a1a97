"""A record under a header whose name is no text is a foreign one, and ends no reader."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from kafka import TopicPartition
from kafka.record.memory_records import MemoryRecords

from services.log.batches import Batches
from services.log.compiled import CompiledRecords
from services.log.record import Link, read_link
from tests.support.odd_records import TOLD, batch_of

AT = TopicPartition("events.v1", 3)
OURS = Link(2, 1)
RECORDS = (
    (b"home", b"one", Link(1, 0).headers()),
    (b"home", b"a stranger's", [(TOLD, b"x"), ("position", b"2"), ("previous", b"1")]),
    (None, b"", [(TOLD, b"")]),
    (b"home", b"two", OURS.headers()),
)


def by_kafka_python(content: bytes) -> list[Any]:
    return list(CompiledRecords(0, AT, MemoryRecords(content)).take())


def by_aiokafka(content: bytes) -> list[Any]:
    return list(PartitionRecords(AT, Batches(content), [], 0, None, None, True, 0))


@pytest.mark.parametrize("read", [by_kafka_python, by_aiokafka])
def test_it_is_told_with_its_bytes_written_out_and_what_stands_around_it_is_told_as_ever(read: Any) -> None:
    found = read(batch_of(RECORDS) + batch_of(RECORDS[:1], 4))
    told = [(one.key, one.value, list(one.headers)) for one in found]
    assert told == [(key, value, list(headers)) for key, value, headers in (*RECORDS, RECORDS[0])]
    assert [one.offset for one in found] == [0, 1, 2, 3, 4]
    assert [read_link(one.headers) for one in found] == [Link(1, 0), None, None, OURS, Link(1, 0)]


def test_a_batch_that_is_cut_short_is_not_told() -> None:
    whole = batch_of(RECORDS)
    for cut in (len(whole) - 1, 12, 11, 0):
        batches = Batches(whole + whole[:cut])
        assert len(list(batches.next_batch() or ())) == len(RECORDS)
        assert (batches.has_next(), batches.next_batch(), batches.size_in_bytes()) == (False, None, len(whole) + cut)
