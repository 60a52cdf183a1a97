"""An idempotent producer for one run: it never retries, never reconnects, and is thrown away at the first doubt.

A broker that lost its acknowledged tail and came back takes the next batch of a living producer as if nothing had been,
and the log is forked. So a connection that is gone ends the producer: what comes next begins with a look at the tails.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from services.local.topics import ALERTS, BATCH_LIMIT_BYTES, EVENTS
from services.log.clients import connected
from services.relay.brokers import somebody_listens
from services.relay.chain import Batch, Place

CONNECT_SECONDS = 10.0
ANSWER_MS = 10_000
END_SECONDS = 2.0


class SendingFailed(Exception):
    """A batch was refused, its answer is not what was due, or a broker is gone; the producer is of no more use."""


class FirstConnections(KafkaNetClient):  # type: ignore[misc]
    """Connects to every broker once and says so; a connection that is gone stays gone.

    Its methods run in the producer's own thread. That these are the ones it calls is held by a contract test.
    """

    def __init__(self, **configs: Any) -> None:
        super().__init__(**configs)
        self.all_connected = threading.Event()
        self.lost = threading.Event()
        self.on_loss: Callable[[], None] = lambda: None
        self._first: dict[Any, Any] = {}

    def poll(self, timeout_ms: float | None = None, future: Any = None) -> Any:
        if not self.all_connected.is_set():
            self._connect_first()
        elif not all(map(self._is_first, self._first)):
            self._lose()
        return super().poll(timeout_ms=timeout_ms, future=future)

    def is_ready(self, node_id: Any) -> bool:
        if self.all_connected.is_set() and not self._is_first(node_id):
            self._lose()
            return False
        return bool(super().is_ready(node_id))

    def maybe_connect(self, node_id: Any, **kwargs: Any) -> None:
        if not self.all_connected.is_set():
            super().maybe_connect(node_id, **kwargs)

    def _connect_first(self) -> None:
        nodes = [broker.node_id for broker in self.cluster.brokers()]
        for node_id in nodes:
            if not super().is_ready(node_id):
                super().maybe_connect(node_id)
            elif node_id not in self._first:
                self._first[node_id] = self._manager._conns[node_id]
        if nodes and self._first.keys() >= set(nodes):
            self.all_connected.set()

    def _lose(self) -> None:
        if not self.lost.is_set():
            self.lost.set()
            self.on_loss()

    def _is_first(self, node_id: Any) -> bool:
        first = self._first.get(node_id)
        return first is not None and first is self._manager._conns.get(node_id) and bool(first.connected)


class Sender:
    """Sends batches, one at a time, and checks that every record stands at the offset that was due. Its calls block."""

    def __init__(self, producer: KafkaProducer, client: FirstConnections) -> None:
        self._producer = producer
        self._client = client
        self._due: dict[TopicPartition, int] = {}
        self._leaders: dict[TopicPartition, Any] = {}
        client.on_loss = producer._sender.force_close  # whoever waits for an answer is told at once

    @classmethod
    def connect(cls, bootstrap: str) -> Sender:
        """A producer that is connected to every broker; whatever happens to one of them from now on is noticed."""
        made: list[FirstConnections] = []

        def client(**configs: Any) -> FirstConnections:
            made.append(FirstConnections(**configs))
            return made[-1]

        try:
            producer = connected(
                KafkaProducer,
                somebody_listens(bootstrap),
                client_id="intabaza-relay",
                kafka_client=client,
                enable_idempotence=True,
                acks="all",
                retries=-1,  # 0 is refused beside idempotence; the client compares attempts made, so this is "never"
                linger_ms=5_000,  # nothing leaves before its batch is whole; `flush` sends it
                batch_size=BATCH_LIMIT_BYTES,
                max_request_size=8 * BATCH_LIMIT_BYTES,
                request_timeout_ms=ANSWER_MS,
                delivery_timeout_ms=5_000 + ANSWER_MS + 1_000,
                max_block_ms=ANSWER_MS,
                bootstrap_timeout_ms=int(CONNECT_SECONDS * 1000),
                metadata_max_age_ms=60_000,  # also the sign of life that keeps the connection from being idle
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        except (KafkaError, OSError) as error:
            raise SendingFailed(f"no broker answers at {bootstrap} ({type(error).__name__})") from error
        sender = cls(producer, made[-1])
        try:
            for topic in (EVENTS, ALERTS):
                producer.partitions_for(topic)
            if not made[-1].all_connected.wait(CONNECT_SECONDS):
                raise SendingFailed("not every broker of the cluster could be reached")
        except (KafkaError, OSError) as error:
            sender.throw_away()
            raise SendingFailed(f"the topics are not to be had ({type(error).__name__}: {error})") from error
        except SendingFailed:
            sender.throw_away()
            raise
        return sender

    @property
    def lost(self) -> bool:
        """Whether a connection has gone."""
        return self._client.lost.is_set()

    def begin(self, places: dict[TopicPartition, Place]) -> None:
        """Say where each partition ends, as it was read after `connect`."""
        self._due = {at: place.end_offset for at, place in places.items()}
        self._leaders = {at: self._leader(at) for at in places}

    def send(self, batch: Batch) -> dict[TopicPartition, int]:
        """Send one batch and return the offsets that come next; SendingFailed where anything is not as it was due."""
        moved = [at for at in batch.counts if self._leader(at) != self._leaders[at]]
        if moved or self.lost:
            raise SendingFailed("a broker is gone" if self.lost else f"{moved[0]} moved to another broker")
        try:
            send = self._producer.send
            sent = [
                send(one.at.topic, one.value, one.key, one.headers, partition=one.at.partition) for one in batch.records
            ]
            self._producer.flush(timeout=2 * ANSWER_MS / 1000)
        except (KafkaError, OSError, ValueError) as error:
            raise SendingFailed(f"a batch was not taken ({type(error).__name__}: {error})") from error
        due = self._due
        for one, answer in zip(batch.records, sent, strict=True):
            if answer.exception is not None or not answer.is_done:
                why = answer.exception
                raise SendingFailed(f"a batch was not taken ({type(why).__name__}: {why})")
            if answer.value.offset != due[one.at]:
                raise SendingFailed(
                    f"{one.at.topic} partition {one.at.partition} took a record at offset {answer.value.offset} where "
                    f"{due[one.at]} was due"
                )
            due[one.at] += 1
        return {at: due[at] for at in batch.counts}

    def throw_away(self) -> None:
        """End the producer and drop what it has not sent; when this returns, it sends nothing any more."""
        # `close(0)` flushes first and, where something waits, raises before it ends the thread that would send it later
        self._producer._sender.force_close()
        self._producer._sender.join(END_SECONDS)
        with suppress(KafkaError):
            self._producer.close(timeout=0)

    def _leader(self, at: TopicPartition) -> Any:
        return self._client.cluster.leader_for_partition(at)
