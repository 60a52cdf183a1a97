"""The lanes of one worker process: begun when partitions come, begun again when a commit fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import asyncpg
import structlog
from kafka.errors import KafkaError

from projections.projection import Projection
from services.local.topics import EVENTS
from services.processors.chain import ChainBroken, Record
from services.processors.errors import Again
from services.processors.lane import Lane
from services.processors.making import make_places
from services.processors.metrics import Metrics
from services.processors.places import Places
from services.processors.store import LOST, Store

CONNECTIONS = 6
PAUSE_SECONDS = 0.5
BEGIN_SECONDS = 20.0
"""How long a beginning may wait for Postgres and Kafka; Faust's own patience with a seek is 30 s."""

_log = structlog.get_logger(__name__)


class Worker:
    """Handles the batches of delivery. It makes its connections in the loop that first calls it."""

    def __init__(
        self,
        dsn: str,
        bootstrap: str,
        projections: Sequence[Projection[Any, Any]],
        source: str,
        metrics: Metrics,
        topic: str = EVENTS,
    ) -> None:
        self.lanes: dict[int, Lane] = {}
        self._dsn = dsn
        self._bootstrap = bootstrap
        self._projections = projections
        self._source = source
        self._metrics = metrics
        self._topic = topic
        self._lock = asyncio.Lock()
        self._store: Store | None = None
        self._places: Places | None = None
        self._broken: dict[int, str] = {}

    async def begin(self, partitions: set[int]) -> Mapping[int, int]:
        """Forget everything, and say from which offset each partition is read."""
        async with self._lock:
            await self._settle_all()
            self.lanes = {}
            deadline = time.monotonic() + BEGIN_SECONDS
            while True:
                try:
                    store, places = await self._connected(anew=True)
                    return {one: await self._begin(store, places, one) for one in sorted(partitions)}
                except (*LOST, KafkaError, Again) as error:
                    if time.monotonic() > deadline:
                        raise
                    _log.warning("a partition cannot be begun yet", why=_why(error))
                    await asyncio.sleep(PAUSE_SECONDS)

    async def offer(self, partition: int, records: Sequence[Record]) -> int | None:
        """Fold a batch; answers from where to read again where what was in memory had to be thrown away."""
        async with self._lock:
            if (lane := self.lanes.get(partition)) is None:
                return None
            return await self._guarded(lane, lambda: lane.offer(records))

    async def idle(self, ends: Mapping[int, int]) -> Mapping[int, int]:
        """Called about once a second: learn what became of commits, let parked keys go on where an operator asked."""
        again: dict[int, int] = {}
        async with self._lock:
            for partition, lane in self.lanes.items():
                if (offset := await self._guarded(lane, lane.settle)) is not None:
                    again[partition] = offset
            if not again and self._store is not None:
                again |= await self._resume()
            self._metrics.show(self.lanes.values(), ends)
        return again

    async def end(self) -> None:
        """Let what is on its way be committed, and close."""
        async with self._lock:
            await self._settle_all()
            self.lanes = {}
            if self._places is not None:
                await asyncio.to_thread(self._places.close)
            if self._store is not None:
                self._store.pool.terminate()

    # --- inside the lock ------------------------------------------------------------------------------------------

    async def _begin(self, store: Store, places: Places, partition: int) -> int:
        lane = Lane(store, self._projections, partition, places.topic_id, self._foreign)
        await lane.begin()
        offset = await asyncio.to_thread(places.find, partition, *lane.hint)
        self.lanes[partition] = lane
        return offset

    async def _guarded(self, lane: Lane, work: Callable[[], Any]) -> int | None:
        """Do it; where it fails for a reason that passes, begin the lane again until that works."""
        try:
            await work()
            self._broken.pop(lane.partition, None)
            return None
        except ChainBroken as error:
            # Records fetched before a seek look like this once; what is still so after reading anew is broken.
            if self._broken.get(lane.partition) == str(error):
                raise
            self._broken[lane.partition] = str(error)
            _log.warning("a partition is read again", partition=lane.partition, why=_why(error))
        except (Again, *LOST) as error:
            _log.warning("a partition is read again", partition=lane.partition, why=_why(error))
        self._metrics.restarts.inc()
        while True:
            try:
                store, places = await self._connected()
                return await self._begin(store, places, lane.partition)
            except (*LOST, KafkaError, Again) as error:
                _log.warning("a partition cannot be begun yet", partition=lane.partition, why=_why(error))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _connected(self, anew: bool = False) -> tuple[Store, Places]:
        if self._store is None:
            pool = await asyncpg.create_pool(
                self._dsn,
                min_size=1,
                max_size=CONNECTIONS,
                timeout=10,
                command_timeout=60,
                server_settings={"application_name": "intabaza processors", "jit": "off"},
            )
            await make_places(pool, self._projections)
            self._store = Store(pool, self._source)
        if anew and self._places is not None:
            old, self._places = self._places, None
            await asyncio.to_thread(old.close)
        if self._places is None:
            self._places = await asyncio.to_thread(Places, self._bootstrap, self._topic)
        return self._store, self._places

    async def _resume(self) -> dict[int, int]:
        assert self._store is not None
        try:
            asked = await self._store.asked(self._projections, list(self.lanes))
        except LOST:
            return {}
        again = {}
        for place, partition, key in asked:
            lane = self.lanes[partition]

            async def resume(lane: Lane = lane, place: str = place, key: str = key) -> None:
                await lane.resume(place, key)

            if (offset := await self._guarded(lane, resume)) is not None:
                again[partition] = offset
        return again

    async def _settle_all(self) -> None:
        for lane in self.lanes.values():
            try:
                await lane.settle()
            except (Again, *LOST) as error:
                _log.warning("a commit failed as its partition ended", partition=lane.partition, why=_why(error))

    def _foreign(self, partition: int, offsets: Sequence[int]) -> None:
        self._metrics.foreign.inc(len(offsets))
        _log.error(
            "foreign records", topic=self._topic, partition=partition, first_offset=offsets[0], count=len(offsets)
        )


def _why(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
