"""A walk gives what each partition holds from where it begins up to where it ends, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kafka import KafkaConsumer, TopicPartition

from services.local.kafka import KafkaServer
from services.local.topics import EVENTS
from services.log.clients import connected
from services.log.record import Link
from services.log.walk import Silence, Walk
from tests.integration.refolding.conftest import PARTITIONS
from tests.support.feeding import Feeder

ONE, TWO, THREE = (TopicPartition(EVENTS, number) for number in range(PARTITIONS))
RECORDS = 40


@pytest.fixture
def consumer(kafka: KafkaServer, feeder: Feeder) -> Iterator[KafkaConsumer]:
    """Of a topic with so many records in each partition, of which a few are fetched at once."""
    for number in range(PARTITIONS):
        for position in range(1, RECORDS + 1):
            feeder.record(number, "home", b"%d/%d" % (number, position), Link(position, position - 1))
    feeder.close()
    found = connected(KafkaConsumer, kafka.bootstrap, group_id=None, enable_auto_commit=False, max_poll_records=7)
    yield found
    found.close()


def offsets(walk: Walk, found: dict[TopicPartition, list[int]]) -> None:
    for at, records in walk.next().items():
        assert all(record.value == b"%d/%d" % (at.partition, record.offset + 1) for record in records)
        found.setdefault(at, []).extend(record.offset for record in records)


def test_each_partition_is_read_in_order_from_its_beginning_to_its_end_and_no_further(consumer: KafkaConsumer) -> None:
    walk = Walk(consumer, {ONE: 0, TWO: 11, THREE: 30}, {ONE: 25, TWO: RECORDS, THREE: 30})
    found: dict[TopicPartition, list[int]] = {}
    assert walk.under_way == {ONE, TWO}
    while walk.under_way:
        offsets(walk, found)
    assert found == {ONE: [*range(25)], TWO: [*range(11, RECORDS)]}
    assert walk.offsets == {ONE: 25, TWO: RECORDS, THREE: 30}
    assert walk.next() == {}


def test_what_is_held_waits_and_what_is_left_is_over(consumer: KafkaConsumer) -> None:
    walk = Walk(consumer, {ONE: 0, TWO: 0, THREE: 0}, {ONE: RECORDS, TWO: RECORDS, THREE: RECORDS})
    found: dict[TopicPartition, list[int]] = {}
    walk.hold(ONE)
    walk.leave(TWO)
    while walk.offsets[THREE] < RECORDS:
        offsets(walk, found)
    assert found == {THREE: [*range(RECORDS)]}
    assert walk.under_way == {ONE}
    assert walk.next() == {}, "all that is under way is held"
    walk.go_on(ONE)
    while walk.under_way:
        offsets(walk, found)
    assert found == {ONE: [*range(RECORDS)], THREE: [*range(RECORDS)]}


def test_a_consumer_walks_again_also_where_it_left(consumer: KafkaConsumer) -> None:
    walk = Walk(consumer, {ONE: 0, TWO: 0}, {ONE: RECORDS, TWO: RECORDS})
    walk.leave(ONE)
    walk.hold(TWO)
    again, found = Walk(consumer, {ONE: 5, TWO: 5}, {ONE: 8, TWO: RECORDS}), dict[TopicPartition, list[int]]()
    while again.under_way:
        offsets(again, found)
    assert found == {ONE: [5, 6, 7], TWO: [*range(5, RECORDS)]}


def test_a_broker_that_sends_nothing_more_is_told_of(consumer: KafkaConsumer) -> None:
    walk = Walk(consumer, {ONE: 0, TWO: 0}, {ONE: RECORDS, TWO: RECORDS + 1}, silence_seconds=1)
    found: dict[TopicPartition, list[int]] = {}
    while walk.offsets != {ONE: RECORDS, TWO: RECORDS}:
        offsets(walk, found)
    with pytest.raises(Silence, match=f"{EVENTS}, partition 1") as told:
        walk.next()
    assert told.value.at == TWO
    assert walk.under_way == {TWO}
