"""Faust as group member and rebalancer, with whole fetched batches handed over instead of single messages.

Stock delivery makes tasks for each message, which costs ten times what the fold does, and acknowledges what an agent
failed on. This overrides private methods of faust-streaming 0.15.3: another version is refused, and a contract test
says what it rests on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Protocol, cast

import faust
import structlog
from aiokafka.errors import ConsumerStoppedError, IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import CrashingSupervisor

from services.processors.chain import Record

FAUST = "0.15.3"
FETCH_SECONDS = 1.0
COMMIT_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class WrongFaust(RuntimeError):
    """Another version of faust-streaming is installed than the one whose private methods are overridden."""


class Handler(Protocol):
    """Who takes the batches. An exception of either ends the worker: what can be tried again is tried inside."""

    def begin(self, partitions: set[int]) -> Awaitable[Mapping[int, int]]:
        """These partitions are ours now: forget what was in memory and say from which offset each is read."""
        ...

    def offer(self, partition: int, records: Sequence[Record]) -> Awaitable[int | None]:
        """Take a batch; answers an offset to read on from where the partition has to be read again."""
        ...

    def idle(self, ends: Mapping[int, int]) -> Awaitable[Mapping[int, int]]:
        """Called about once a second with each partition's end; answers offsets to read on from."""
        ...

    def end(self) -> Awaitable[None]:
        """No more batches come: let what is on its way be committed."""
        ...


class BatchConsumer(driver.Consumer):
    """Reads whole batches, in order, for a handler; seeks where the handler says, never to committed offsets."""

    handler: Handler
    topic: str

    async def perform_seek(self) -> None:
        """Called when partitions were assigned and when the flow had stopped: everything in memory is void then."""
        mine = {tp for tp in self.assignment() if tp.topic == self.topic}
        offsets = await self.handler.begin({tp.partition for tp in mine})
        await self._seek_to({tp: offsets[tp.partition] for tp in mine if tp.partition in offsets})

    async def _seek_to(self, offsets: Mapping[TP, int]) -> None:
        if offsets:
            await self.seek_wait(offsets)
        for tp, offset in offsets.items():
            self._read_offset[tp] = offset or None
            self._committed_offset[tp] = offset or None

    async def _drain_messages(self, fetcher: Any) -> None:
        committed_at = self._now()
        ends: dict[TP, int] = {}
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                generation = self.app.consumer_generation_id
                try:
                    records, _ = await self._wait_next_records(FETCH_SECONDS)
                    if not self.flow_active:
                        await self.perform_seek()
                        continue
                except IllegalStateError:  # a rebalance is on its way
                    await asyncio.sleep(0.05)
                    continue
                for tp, batch in (records or {}).items():
                    if not self.flow_active or self.app.consumer_generation_id != generation:
                        break  # what is left is read again by whoever has the partition then
                    again = await self.handler.offer(tp.partition, cast(Sequence[Record], batch))
                    if again is not None:
                        await self._seek_to({tp: again})
                        break
                    self._read_offset[tp] = ends[tp] = batch[-1].offset + 1
                if self._now() - committed_at >= COMMIT_SECONDS:
                    await self._each_second(ends)
                    ends, committed_at = {}, self._now()
                await asyncio.sleep(0)
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.transport.app.should_stop:
                raise
        finally:
            if self.transport.app.should_stop:
                await self.handler.end()

    async def _each_second(self, ends: Mapping[TP, int]) -> None:
        """Let the handler look around, and commit offsets, which serve tools that show lag and nothing of ours."""
        try:
            mine = {tp for tp in self.assignment() if tp.topic == self.topic}
            highwaters = {tp.partition: self.highwater(tp) or 0 for tp in mine}
        except IllegalStateError:
            return
        again = await self.handler.idle(highwaters)
        await self._seek_to({tp: again[tp.partition] for tp in mine if tp.partition in again})
        offsets = {tp: offset for tp, offset in ends.items() if tp in mine}
        if offsets and await self._commit(offsets):
            self._committed_offset.update(offsets)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def make_app(
    bootstrap: str, topic: str, group: str, handler: Handler, data_folder: str, member: str | None = None
) -> faust.App:
    """A Faust application whose worker hands batches of `topic` to the handler. Raises WrongFaust.

    `member` makes the membership static: a worker that comes back under the same name takes its partitions at once.
    """
    if (found := version("faust-streaming")) != FAUST:
        raise WrongFaust(
            f"faust-streaming {found} is installed and the processors override private methods of {FAUST}: "
            "install the locked one with `make install`"
        )
    app = faust.App(
        group,
        broker=[f"kafka://{server}" for server in bootstrap.split(",")],
        datadir=data_folder,
        store="memory://",
        value_serializer="raw",
        key_serializer="raw",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        agent_supervisor=CrashingSupervisor,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=member,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        broker_rebalance_timeout=20.0,
        broker_request_timeout=30.0,
        stream_wait_empty=False,
        autodiscover=False,
    )

    consumer = type("Consumer", (BatchConsumer,), {"handler": handler, "topic": topic})
    transport = type("Transport", (driver.Transport,), {"Consumer": consumer})
    app.transport = transport(app.conf.broker_consumer, app)

    @app.agent(app.topic(topic, key_type=bytes, value_type=bytes, value_serializer="raw"))
    async def subscribed(stream: Any) -> None:
        """Exists so that the topic is subscribed to; nothing is ever delivered to it."""
        async for _ in stream:
            raise AssertionError("a message was delivered past the batches")

    return app
