"""An idempotent producer for one run: it never retries, never reconnects, and is thrown away at the first doubt.

A broker that lost its acknowledged tail and came back takes the next batch of a living producer as if nothing had been,
and the log is forked. So a connection that is gone ends the producer: what comes next begins with a look at the tails.

It runs in the event loop of whoever sends, on bare connections: a client with threads of its own hands each batch over
four times, and on a machine whose cores are busy each of them waits for one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from kafka import TopicPartition
from kafka.errors import KafkaError, NoError, for_code
from kafka.protocol.metadata import MetadataRequest
from kafka.protocol.producer import InitProducerIdRequest, ProduceRequest

from services import clock
from services.local.topics import ALERTS, BATCH_LIMIT_BYTES, EVENTS
from services.log.line import Line, LineLost
from services.relay.brokers import somebody_listens
from services.relay.chain import Batch, Place

CLIENT_ID = "intabaza-relay"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 10.0
LOOK_SECONDS = 60.0
"""How often each broker is asked who leads what; also the sign of life that keeps a connection from being idle."""
AGAIN_SECONDS = 0.1
BY_NAME = 12
"""The newest version of a request to write that names its topics; newer ones name them by their ids."""
EVERY_REPLICA = -1
_FORM, _PLAIN = 2, 0

Topic = ProduceRequest.TopicProduceData


class SendingFailed(Exception):
    """A batch was refused, its answer is not what was due, or a broker is gone; the producer is of no more use."""


class Sender:
    """Sends batches, one at a time, and checks that every record stands at the offset that was due."""

    def __init__(self) -> None:
        self._lines: dict[int, Line] = {}
        self._leaders: Mapping[TopicPartition, int] = {}
        self._producer = (-1, -1)
        self._numbers: dict[TopicPartition, int] = {}
        self._due: dict[TopicPartition, int] = {}
        self._doubt = ""
        self._looking: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, bootstrap: str) -> Sender:
        """A producer that is connected to every broker; whatever happens to one of them from now on is noticed.

        Raises BrokerAway and SendingFailed.
        """
        addresses = await asyncio.to_thread(somebody_listens, bootstrap)
        sender = cls()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await sender._connect(addresses)
        except (KafkaError, LineLost, OSError) as error:  # a TimeoutError is an OSError
            sender.throw_away()
            because = f"{type(error).__name__}: {error}" if str(error) else "no answer in time"
            raise SendingFailed(f"not every broker and topic is to be had at {bootstrap} ({because})") from error
        except BaseException:
            sender.throw_away()
            raise
        return sender

    @property
    def lost(self) -> bool:
        """Whether a connection has gone, or anything else came into doubt."""
        return bool(self._doubt)

    def begin(self, places: dict[TopicPartition, Place]) -> None:
        """Say where each partition ends, as it was read after `connect`."""
        self._due = {at: place.end_offset for at, place in places.items()}

    async def send(self, batch: Batch) -> dict[TopicPartition, int]:
        """Send one batch and return the offsets that come next; SendingFailed where anything is not as it was due."""
        requests = self._requests(batch)
        if self._doubt:
            raise SendingFailed(self._doubt)
        try:
            answers = await asyncio.gather(*(self._lines[node].ask(one, BY_NAME) for node, one in requests.items()))
        except (KafkaError, LineLost) as error:
            raise SendingFailed(f"a batch was not taken ({type(error).__name__}: {error})") from error
        offsets = {
            TopicPartition(topic.name, one.index): one
            for answer in answers
            for topic in answer.responses
            for one in topic.partition_responses
        }
        return {at: self._taken(at, offsets.get(at), count) for at, count in batch.counts.items()}

    def throw_away(self) -> None:
        """End the producer and drop what it has not sent; when this returns, it sends nothing any more."""
        self._lose("it was thrown away")
        if self._looking is not None:
            self._looking.cancel()
        for line in self._lines.values():
            line.break_off()

    # --- within ---------------------------------------------------------------------------------------------------

    def _requests(self, batch: Batch) -> dict[int, Any]:
        """What each broker is to write: one batch for each of its partitions."""
        written: dict[TopicPartition, DefaultRecordBatchBuilder] = {}
        producer_id, epoch = self._producer
        now = int(clock.now().timestamp() * 1_000)
        counts: dict[TopicPartition, int] = {}
        for one in batch.records:
            if (records := written.get(one.at)) is None:
                first = self._numbers.get(one.at, 0)
                records = written[one.at] = DefaultRecordBatchBuilder(
                    _FORM, _PLAIN, 0, producer_id, epoch, first, BATCH_LIMIT_BYTES
                )
            number = counts[one.at] = counts.get(one.at, -1) + 1
            if records.append(number, now, one.key, one.value, one.headers) is None:
                raise SendingFailed(f"what is meant for {one.at} does not fit into one batch")
        by_node: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for at, records in written.items():
            part = Topic.PartitionProduceData(index=at.partition, records=bytes(records.build()))
            by_node[self._leaders[at]][at.topic].append(part)
        return {
            node: ProduceRequest(
                transactional_id=None,
                acks=EVERY_REPLICA,
                timeout_ms=int(ANSWER_SECONDS * 1_000),
                topic_data=[Topic(name=name, partition_data=parts) for name, parts in topics.items()],
            )
            for node, topics in by_node.items()
        }

    def _taken(self, at: TopicPartition, answer: Any, count: int) -> int:
        """The offset that comes next in a partition, by the broker's answer."""
        if answer is None or (refused := for_code(answer.error_code)) is not NoError:
            why = "no answer" if answer is None else refused.__name__
            raise SendingFailed(f"{at.topic} partition {at.partition} did not take a batch ({why})")
        if answer.base_offset != self._due[at]:
            raise SendingFailed(
                f"{at.topic} partition {at.partition} took a record at offset {answer.base_offset} where "
                f"{self._due[at]} was due"
            )
        self._due[at] += count
        self._numbers[at] = self._numbers.get(at, 0) + count
        return self._due[at]

    async def _connect(self, addresses: list[str]) -> None:
        first = await self._anybody(addresses)
        try:
            brokers, self._leaders = await _retried(first, _who_leads)
            for node, (host, port) in brokers.items():
                self._lines[node] = await Line.open(
                    host, port, CLIENT_ID, ANSWER_SECONDS, lambda: self._lose("a broker is gone")
                )
            self._producer = await _retried(first, _named)
        finally:
            first.break_off()
        self._looking = asyncio.create_task(self._keep_looking(), name="relay looks who leads")

    async def _anybody(self, addresses: list[str]) -> Line:
        why: Exception = LineLost("no broker answers")
        for address in addresses:
            host, _, port = address.strip().rpartition(":")
            try:
                return await Line.open(host.strip("[]"), int(port), CLIENT_ID, ANSWER_SECONDS)
            except (KafkaError, LineLost, OSError) as error:
                why = error
        raise why

    async def _keep_looking(self) -> None:
        while not self._doubt:
            await asyncio.sleep(LOOK_SECONDS)
            for line in self._lines.values():
                with suppress(KafkaError, LineLost):  # a line that is lost has said so
                    _, leaders = await _who_leads(line)
                    if moved := [at for at, node in leaders.items() if self._leaders.get(at) != node]:
                        self._lose(f"{moved[0].topic} partition {moved[0].partition} moved to another broker")

    def _lose(self, why: str) -> None:
        self._doubt = self._doubt or why


async def _retried(line: Line, ask: Any) -> Any:
    """What a broker answers once it can: a young one says for a moment that it cannot yet."""
    while True:
        try:
            return await ask(line)
        except KafkaError as error:
            if not error.retriable:
                raise
        await asyncio.sleep(AGAIN_SECONDS)


async def _who_leads(line: Line) -> tuple[dict[int, tuple[str, int]], dict[TopicPartition, int]]:
    """Every broker's address, and which of them leads each partition of our topics. Raises KafkaError."""
    topics = [MetadataRequest.MetadataRequestTopic(name=name) for name in (EVENTS, ALERTS)]
    told = await line.ask(MetadataRequest(topics=topics, allow_auto_topic_creation=False))
    leaders: dict[TopicPartition, int] = {}
    for topic in told.topics:
        _refuse(topic.error_code)
        for one in topic.partitions:
            _refuse(one.error_code)
            leaders[TopicPartition(topic.name, one.partition_index)] = one.leader_id
    return {broker.node_id: (broker.host, broker.port) for broker in told.brokers}, leaders


async def _named(line: Line) -> tuple[int, int]:
    """A producer's id and epoch, as the broker gives them out: by them it knows this producer's batches in order."""
    told = await line.ask(InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000))
    _refuse(told.error_code)
    return told.producer_id, told.producer_epoch


def _refuse(error_code: int) -> None:
    if (error := for_code(error_code)) is not NoError:
        raise error()
