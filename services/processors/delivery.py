"""Faust as group member and rebalancer, with whole fetched batches handed over instead of single messages.

Stock delivery makes tasks for each message, which costs ten times what the fold does, and acknowledges what an agent
failed on. This overrides private methods of faust-streaming 0.15.3: another version is refused, and a contract test
says what it rests on.

Faust gives a worker half a minute to find its places after a rebalance and ends it otherwise. So `perform_seek` only
notes which partitions came; the reading loop begins them, and may wait for Postgres as long as it takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Any, Protocol, TypeVar, cast

import faust
import structlog
from aiokafka.consumer import fetcher
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import CrashingSupervisor

from services.log.batches import Batches
from services.processors.chain import Record
from services.processors.sensors import count_batch

FAUST = "0.15.3"
FETCH_SECONDS = 1.0
FETCH_BYTES = 2 * 1024 * 1024
"""Of one partition at once: about 2,400 events in one transaction. Twice that saves 5 % of the CPU and costs 100 MB."""
FEW_RECORDS = 500
"""What is folded of several partitions at once, in one transaction: about as much as comes while one commits."""
LOOK_SECONDS = 1.0
SESSION_SECONDS = 10.0
"""After so long without a sign of life a member's partitions are another's."""
PATIENCE_SECONDS = 10.0
"""How long aiokafka waits with its next fetch while what it fetched is not taken. After its own tenth of a second,
it asks for the other partitions alone, which the broker answers once one of them has something, up to 1.5 s later: so
long nobody asks for what comes to those that were left out, however soon they are taken."""
COMMIT_SECONDS = 5.0
METADATA_SECONDS = 2.0
"""How soon a topic that came, went or came back is noticed. A member without partitions reads nothing, and whoever
reads nothing asks the broker only once in this time (aiokafka's own: five minutes)."""
REJOIN_SECONDS = 3.0
WITHOUT_READING_SECONDS = 20 * 86_400.0
"""How long a worker may wait for Postgres and still be a member. Beyond it aiokafka leaves the group, and joins again
only once somebody reads, while Faust lets nobody read before it has joined: nothing would ever be read again."""

A = TypeVar("A")

_log = structlog.get_logger(__name__)


class WrongFaust(RuntimeError):
    """Another version of faust-streaming is installed than the one whose private methods are overridden."""


class Handler(Protocol):
    """Who takes the batches. An exception of its own ends the worker: what can be tried again is tried inside.

    All but `assigned` are called by one loop, one after the other, but `offer` for several partitions at once.
    """

    def assigned(self, partitions: set[int]) -> None:
        """These partitions are ours now, and no others: whatever is in memory is void."""
        ...

    def prepare(self) -> Awaitable[Mapping[int, int]]:
        """Called before each fetch: begin what is not begun, and say from which offset each of those is read."""
        ...

    def offer(self, partition: int, records: Sequence[Record]) -> Awaitable[int | None]:
        """Take a batch; answers an offset to read on from where these records do not follow the last ones."""
        ...

    def look_around(self) -> Awaitable[None]:
        """Called about once a second."""
        ...

    def show(self, ends: Mapping[int, int]) -> None:
        """Called about once a second with each partition's end, also while another call waits."""
        ...

    def end(self) -> Awaitable[None]:
        """No more batches come: let what is on its way be committed."""
        ...


class BatchConsumer(driver.Consumer):
    """Reads whole batches, in order, for a handler; seeks where the handler says, never to committed offsets."""

    handler: Handler
    topic: str

    async def perform_seek(self) -> None:
        """Called whenever partitions were assigned."""
        self.handler.assigned({tp.partition for tp in self._mine()})

    def _mine(self) -> set[TP]:
        return {tp for tp in self.assignment() if tp.topic == self.topic}

    async def _drain_messages(self, fetcher: Any) -> None:
        self._thread._ensure_consumer()._fetcher._prefetch_backoff = PATIENCE_SECONDS
        looked_at = committed_at = rejoined_at = self._now()
        ends: dict[TP, int] = {}
        showing = asyncio.create_task(self._show())
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                if not self.flow_active:
                    await self.wait(self.can_resume_flow)  # type: ignore[arg-type]
                    continue
                try:
                    await self._seek_to(await self.handler.prepare())
                    generation = self.app.consumer_generation_id
                    records, _ = await self._wait_next_records(FETCH_SECONDS)
                    await self._offer(records or {}, generation, ends)
                    if self._now() - looked_at >= LOOK_SECONDS:
                        looked_at = self._now()
                        await self.handler.look_around()
                    if not self._mine() and self._now() - rejoined_at >= REJOIN_SECONDS:
                        rejoined_at = self._now()
                        await self._thread.call_thread(self._rejoin_where_nobody_watches)
                    if ends and self._now() - committed_at >= COMMIT_SECONDS:
                        committed_at = self._now()
                        await self._commit_for_show(ends)
                        ends = {}
                except IllegalStateError:  # a rebalance is on its way
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0)
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.transport.app.should_stop:
                raise
        finally:
            showing.cancel()
            if self.transport.app.should_stop:
                await self.handler.end()

    async def _show(self) -> None:
        """Ask the broker itself where partitions end: a reader that waits for Postgres is told of no end any more."""
        while True:
            with suppress(KafkaError, IllegalStateError, TimeoutError):
                ends = await self.highwaters(*self._mine())
                self.handler.show({tp.partition: end for tp, end in ends.items()})
            await asyncio.sleep(LOOK_SECONDS)

    async def _offer(self, records: Mapping[Any, Sequence[Any]], generation: int, ends: dict[TP, int]) -> None:
        for batches in few_at_once(records):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return  # what is left is read again by whoever has the partition then
            for tp, batch in batches.items():
                count_batch(self.app, tp, cast(Sequence[Record], batch))
            again = await every(self.handler.offer(tp.partition, batch) for tp, batch in batches.items())
            for (tp, batch), offset in zip(batches.items(), again, strict=True):
                if offset is not None:
                    await self._seek_to({tp.partition: offset})
                else:
                    ends[TP(tp.topic, tp.partition)] = batch[-1].offset + 1

    async def _rejoin_where_nobody_watches(self) -> None:
        """Join again where this member has nothing of a topic that exists, and may be the one who should see that.

        Only who shares partitions out watches how many there are. A static member that was started again within its
        session is given what it had, maybe nothing, and is not told that it is the one who shares out: so nobody is.
        Runs in the consumer's own thread.
        """
        consumer = self._thread._ensure_consumer()
        coordinator = consumer._coordinator
        if coordinator._group_subscription is None and consumer.partitions_for_topic(self.topic):
            coordinator.request_rejoin()

    async def _seek_to(self, offsets: Mapping[int, int]) -> None:
        mine = {tp: offsets[tp.partition] for tp in self._mine() if tp.partition in offsets}
        if mine:
            await self.seek_wait(mine)

    async def _commit_for_show(self, ends: Mapping[TP, int]) -> None:
        """Commit offsets, which serve tools that show lag and nothing of ours; so a failure costs nothing."""
        mine = self._mine()
        offsets = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in ends.items() if tp in mine}
        if offsets:
            try:
                await self._thread.call_thread(self._thread._ensure_consumer().commit, offsets)
            except KafkaError as error:
                _log.info("offsets not committed", because=type(error).__name__)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def few_at_once(records: Mapping[Any, Sequence[Any]]) -> Iterator[Mapping[Any, Sequence[Any]]]:
    """Partitions that are folded at the same time: what is short, so that it shares round trips; what is long, alone.

    All at once of a long way behind would be in memory at once.
    """
    few: dict[Any, Sequence[Any]] = {}
    room = FEW_RECORDS
    for tp, batch in records.items():
        if few and len(batch) > room:
            yield few
            few, room = {}, FEW_RECORDS
        few[tp] = batch
        room -= len(batch)
    if few:
        yield few


async def every(offers: Iterable[Awaitable[A]]) -> list[A]:
    """All answers, when the last is there; raises the first error then, so that nothing goes on behind it."""
    answers = await asyncio.gather(*offers, return_exceptions=True)
    given: list[A] = []
    for one in answers:
        if isinstance(one, BaseException):
            raise one
        given.append(one)
    return given


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
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=2.0,
        broker_rebalance_timeout=20.0,
        broker_max_poll_interval=WITHOUT_READING_SECONDS,
        broker_request_timeout=30.0,
        consumer_metadata_max_age_ms=int(METADATA_SECONDS * 1000),
        consumer_max_fetch_size=FETCH_BYTES,
        stream_wait_empty=False,
        autodiscover=False,
    )

    fetcher.MemoryRecords = Batches  # aiokafka asks for no other way in
    consumer = type("Consumer", (BatchConsumer,), {"handler": handler, "topic": topic})
    transport = type("Transport", (driver.Transport,), {"Consumer": consumer})
    app.transport = transport(app.conf.broker_consumer, app)

    @app.agent(app.topic(topic, key_type=bytes, value_type=bytes, value_serializer="raw"))
    async def subscribed(stream: Any) -> None:
        """Exists so that the topic is subscribed to; nothing is ever delivered to it."""
        async for _ in stream:
            raise AssertionError("a message was delivered past the batches")

    @app.on_partitions_assigned.connect
    async def assigned(sender: Any, /, *assigned: Any, signal: Any = None, **_: Any) -> None:
        """Faust asks nobody to seek where nothing was assigned."""
        if not any(tp.topic == topic for tps in assigned for tp in tps):
            handler.assigned(set())

    return app
