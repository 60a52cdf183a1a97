"""What a stranger's client writes and kafka-python cannot: batches with a header under a name that is no text."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from kafka import TopicPartition
from kafka.protocol.producer import ProduceRequest
from kafka.record.util import calc_crc32c

from services.log.line import Line

NAME = b"\xffno text\xc3"
TOLD = "\\xffno text\\xc3"
"""As a reader of ours tells it."""

_STAND_IN = "a" * len(NAME)
_FIRST, _CRC, _SUMMED = slice(8), slice(17, 21), slice(21, None)
_BY_NAME = 12

Headers = Sequence[tuple[str, bytes]]


def batch_of(records: Sequence[tuple[bytes | None, bytes, Headers]], first: int = 0) -> bytes:
    """A batch of records, each a key, a value and headers, from an offset on; a header that is named TOLD has NAME."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    for number, (key, value, headers) in enumerate(records):
        named = [(_STAND_IN if name == TOLD else name, said) for name, said in headers]
        assert builder.append(number, 1_700_000_000_000, key, value, named) is not None
    batch = bytearray(builder.build())
    batch[_FIRST] = first.to_bytes(8)
    batch[_SUMMED] = batch[_SUMMED].replace(_STAND_IN.encode(), NAME)
    batch[_CRC] = calc_crc32c(bytes(batch[_SUMMED])).to_bytes(4)
    return bytes(batch)


async def put(bootstrap: str, at: TopicPartition, batch: bytes) -> None:
    """Write a batch to the one broker there is, as it is."""
    host, _, port = bootstrap.rpartition(":")
    line = await Line.open(host, int(port), "a stranger", 10.0)
    try:
        part = ProduceRequest.TopicProduceData.PartitionProduceData(index=at.partition, records=batch)
        topic = ProduceRequest.TopicProduceData(name=at.topic, partition_data=[part])
        request = ProduceRequest(transactional_id=None, acks=-1, timeout_ms=10_000, topic_data=[topic])
        [answer] = (await line.ask(request, _BY_NAME)).responses[0].partition_responses
        assert answer.error_code == 0, answer
    finally:
        line.break_off()
