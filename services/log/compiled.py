"""kafka-python's consumer, whose fetched batches aiokafka's compiled reader takes apart: half the CPU a record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.errors import CorruptRecordException
from kafka import KafkaConsumer
from kafka.consumer.fetcher import ConsumerRecord, Fetcher
from kafka.errors import CorruptRecordError

from services.log.batches import Batch


class CompiledRecords(Fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of one fetched partition, in order; no transaction is looked at, as our topics know none.

    Raises CorruptRecordError where a batch is not what its checksum says.
    """

    def _unpack_records(self, tp: Any, records: Any, *_deserializers: object) -> Iterator[ConsumerRecord]:
        while (batch := records.next_batch()) is not None:
            # The leader's epoch goes on to the broker, which says by it that a log was cut; aiokafka's batch has none.
            self.leader_epoch = batch.leader_epoch
            try:
                compiled = Batch(bytes(batch._buffer))
                if self.check_crcs and not compiled.validate_crc():
                    raise CorruptRecordError(f"{tp}: the batch at offset {batch.base_offset} fails its checksum")
                for record in () if batch.is_control_batch else compiled:
                    self.next_fetch_offset = record.offset + 1
                    yield ConsumerRecord(
                        tp.topic, tp.partition, self.leader_epoch, record.offset, record.timestamp,
                        record.timestamp_type, record.key, record.value, record.headers, None, -1, -1, -1,
                    )  # fmt: skip
            except CorruptRecordException as error:
                raise CorruptRecordError(f"{tp}: {error}") from error
            self.next_fetch_offset = batch.next_offset
        self.drain()


class CompiledConsumer(KafkaConsumer):  # type: ignore[misc]
    """A consumer as kafka-python's, for reading without a group; sizes and checksums of single records stay out."""

    def __init__(self, *topics: str, **settings: Any) -> None:
        super().__init__(*topics, **settings)
        self._fetcher.PartitionRecords = CompiledRecords
