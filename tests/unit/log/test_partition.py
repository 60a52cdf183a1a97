"""Our murmur2 is that of Kafka's Java clients."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as of_the_client

from services.log.partition import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "known"),
    [
        # org.apache.kafka.common.utils.UtilsTest.testMurmur2
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_it_gives_the_answers_of_kafkas_own_test(key: bytes, known: int) -> None:
    assert murmur2(key) == known & 0xFFFFFFFF


@given(st.binary(max_size=70))
def test_it_agrees_with_the_python_client_on_any_bytes(key: bytes) -> None:
    assert murmur2(key) == of_the_client(key) & 0xFFFFFFFF


@given(st.text(max_size=30), st.integers(1, 10_000))
def test_a_home_has_one_partition_and_it_exists(home: str, partitions: int) -> None:
    assert partition_of(home, partitions) == (of_the_client(home.encode()) & 0x7FFFFFFF) % partitions
    assert 0 <= partition_of(home, partitions) < partitions
