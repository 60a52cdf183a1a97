"""Fetched batches taken apart by the compiled reader say what kafka-python's own reader says of them."""

from __future__ import annotations

from typing import Any

import pytest
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder

from services.log.compiled import CompiledRecords


def _fetched() -> bytes:
    builder: Any = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=100_000)
    for number in range(20):
        builder.append(
            timestamp=1_700_000_000_000 + number,
            key=None if number % 3 == 0 else b"home",
            value=None if number % 7 == 0 else b"wire %d" % number,
            headers=[] if number % 5 == 0 else [("position", b"%d" % number)],
        )
    builder.close()
    return bytes(builder.buffer())


def _read(reader: Any, buffer: bytes, begin: int = 0) -> tuple[list[tuple[object, ...]], int, int]:
    records = reader(begin, TopicPartition("events.v1", 3), MemoryRecords(buffer))
    taken: list[tuple[object, ...]] = [
        (one.topic, one.partition, one.leader_epoch, one.offset, one.timestamp, one.key, one.value, list(one.headers))
        for one in records.take()
    ]
    return taken, records.next_fetch_offset, records.leader_epoch


@pytest.mark.parametrize("begin", [0, 7])
def test_the_compiled_reader_says_what_kafka_pythons_says(begin: int) -> None:
    ours = _read(CompiledRecords, _fetched(), begin)
    assert len(ours[0]) == 20 - begin
    assert ours == _read(Fetcher.PartitionRecords, _fetched(), begin)


def test_a_batch_that_is_cut_short_is_read_with_the_next_fetch() -> None:
    whole = _fetched()
    cut = whole + whole[:-5]
    assert _read(CompiledRecords, cut) == _read(Fetcher.PartitionRecords, cut)


def test_a_batch_whose_bytes_changed_is_refused() -> None:
    spoilt = bytearray(_fetched())
    spoilt[-3] ^= 1
    with pytest.raises(CorruptRecordError):
        _read(CompiledRecords, bytes(spoilt))
