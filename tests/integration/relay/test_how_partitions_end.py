"""How partitions end is read from the place that was saved; where another record stands there, from the beginning."""

from __future__ import annotations

import asyncio

import pytest
from kafka import TopicPartition

from services.local.kafka import KafkaServer
from services.local.topics import EVENTS
from services.log.record import Link
from services.relay.chain import Place
from services.relay.tail import Foreign, Tails, read_tails
from tests.support.feeding import Feeder
from tests.support.odd_records import TOLD, batch_of, put
from tests.support.relays import empty_topics

PARTITIONS = 3
ONE, TWO, THREE = (TopicPartition(EVENTS, number) for number in range(PARTITIONS))
RECORDS = 20


@pytest.fixture
def topic(kafka: KafkaServer) -> None:
    """With so many records in each partition."""
    empty_topics(kafka.bootstrap, PARTITIONS)
    one = Feeder(kafka.bootstrap, PARTITIONS)
    for number in range(PARTITIONS):
        for position in range(1, RECORDS + 1):
            one.record(number, "home", b"%d" % position, Link(position, position - 1))
    one.close()


def tails(kafka: KafkaServer, saved: dict[TopicPartition, Place]) -> Tails:
    return read_tails(kafka.bootstrap, PARTITIONS, lambda ids: saved)


@pytest.mark.usefixtures("topic")
def test_what_was_saved_is_read_on_from_and_another_record_there_lets_the_whole_partition_be_read(
    kafka: KafkaServer,
) -> None:
    found = tails(kafka, {ONE: Place(15, 15, 15), TWO: Place(14, 16, 16), THREE: Place(70, 70, 70)})
    for at, whole in ((ONE, False), (TWO, True), (THREE, True)):
        tail = found.by_partition[at]
        assert tail.place == Place(RECORDS, RECORDS, RECORDS)
        assert tail.from_the_beginning is whole
        assert tail.found is not None
        assert (tail.found.offset, tail.found.value) == (RECORDS - 1, b"%d" % RECORDS)


@pytest.mark.usefixtures("topic")
async def test_a_record_under_a_name_that_is_no_text_is_foreign(kafka: KafkaServer) -> None:
    await put(kafka.bootstrap, TWO, batch_of([(b"home", b"{}", [(TOLD, b"x")])]))
    found = await asyncio.to_thread(tails, kafka, {})
    assert found.foreign == [Foreign(TWO, RECORDS, 2)]
    assert found.by_partition[TWO].place == Place(RECORDS, RECORDS, RECORDS + 1)
