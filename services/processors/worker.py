"""The lanes of one worker process: begun when partitions come, thrown away and begun again when a commit fails."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from kafka.errors import KafkaError

from projections.projection import Projection
from services.database.lost import LOST
from services.local.topics import EVENTS
from services.log.topic import TopicAbsent
from services.processors.chain import ChainBroken, Record
from services.processors.errors import Again, Halt, named, unwritable
from services.processors.lane import Lane
from services.processors.making import make_places
from services.processors.metrics import Metrics
from services.processors.places import Places
from services.processors.pool import open_pool
from services.processors.store import Store

LONGEST_PAUSE_SECONDS = 5.0
END_SECONDS = 2.5
"""How long an orderly end waits for commits. Whatever is cut off is folded again by whoever comes next."""

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
        self.halted: Halt | None = None
        self._dsn = dsn
        self._bootstrap = bootstrap
        self._projections = projections
        self._source = source
        self._metrics = metrics
        self._topic = topic
        self._partitions: frozenset[int] = frozenset()
        self._leaving: list[Lane] = []
        self._store: Store | None = None
        self._places: Places | None = None
        self._failures = 0
        self._suspected: dict[int, str] = {}

    def assigned(self, partitions: set[int]) -> None:
        """These partitions are ours now, and no others."""
        self._partitions = frozenset(partitions)
        self._leaving.extend(self.lanes.values())
        self.lanes = {}

    async def prepare(self) -> Mapping[int, int]:
        """Begin what is not begun, as soon as Postgres and Kafka let it; answers where each of those is read from."""
        begun: dict[int, int] = {}
        while self._partitions != self.lanes.keys():
            partitions = self._partitions
            await self._pause()
            try:
                await self._settle_leaving()
                store, places = await self._connected()
                if self._failures:
                    await self._end_frozen(store)
                for one in sorted(partitions - self.lanes.keys()):
                    lane = await self._begin(store, places, one)
                    if self._partitions is not partitions:  # a rebalance came in between
                        break
                    self.lanes[one] = lane
                    begun[one] = lane.next_offset
            except (Again, TopicAbsent, KafkaError, *LOST) as error:
                await self._forget_places()
                self._failed("partitions cannot be begun yet", error)
            except Halt as error:
                self._halt(error)
        self._metrics.waits.set(0)
        return begun

    async def offer(self, partition: int, records: Sequence[Record]) -> int | None:
        """Fold a batch; answers from where to read where these records do not follow the last ones."""
        if (lane := self.lanes.get(partition)) is None:
            return None
        if (again := lane.missed(records)) is not None:
            return again
        try:
            commits = lane.counts.commits
            await lane.offer(records)
            if lane.counts.commits > commits:
                self._failures = 0
                self._suspected.pop(partition, None)
        except asyncio.CancelledError:  # it may have folded half of them
            self._drop(lane)
            raise
        except Exception as error:
            await self._throw_away(lane, error)
        return None

    def show(self, ends: Mapping[int, int]) -> None:
        """Tell how far the partitions are, given their ends."""
        self._metrics.show(self._partitions, self.lanes.values(), ends)

    async def look_around(self) -> None:
        """Learn what became of commits; let parked keys go on where an operator asked."""
        for lane in list(self.lanes.values()):
            try:
                await lane.settle()
            except Exception as error:
                await self._throw_away(lane, error)
        await self._resume()

    async def end(self) -> None:
        """Let what is on its way be committed, and close."""
        self.assigned(set())
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._settle_leaving()
        except TimeoutError:
            _log.warning("commits not waited for")
        if self._store is not None:
            self._store.pool.terminate()

    # --- within ---------------------------------------------------------------------------------------------------

    async def _begin(self, store: Store, places: Places, partition: int) -> Lane:
        lane = Lane(store, self._projections, partition, places.topic_id, self._foreign)
        await lane.begin()
        lane.next_offset = await asyncio.to_thread(places.find, partition, *lane.hint)
        return lane

    async def _end_frozen(self, store: Store) -> None:
        if ended := await store.end_frozen():
            _log.warning("sessions of a frozen worker ended", count=ended)

    async def _throw_away(self, lane: Lane, error: Exception) -> None:
        """Let a partition be begun again, where that may help; raises what does not pass."""
        if isinstance(error, ChainBroken):
            # The topic may have been made anew under us, and what was sent again stands elsewhere in it. So the place
            # is looked for once more; what is broken there as well is broken.
            if self._suspected.get(lane.partition) == str(error):
                self._halt(error)
            self._suspected[lane.partition] = str(error)
            await self._forget_places()
        elif isinstance(error, Halt):
            self._halt(error)
        elif not isinstance(error, (Again, KafkaError, *LOST)):
            raise error
        elif (never := unwritable(error)) is not None:
            self._halt(never)
        self._drop(lane)
        self._metrics.restarts.inc()
        self._failed("a partition is read again", error, partition=lane.partition)

    def _drop(self, lane: Lane) -> None:
        if self.lanes.get(lane.partition) is lane:
            self._metrics.keep(lane)
            del self.lanes[lane.partition]
            self._leaving.append(lane)

    def _halt(self, error: Halt) -> None:
        if self.halted is None:
            self.halted = error
            _log.critical("the worker stops", because=str(error))
        raise error

    def _failed(self, what: str, error: BaseException, **where: int) -> None:
        self._failures += 1
        if self._failures & (self._failures - 1) == 0:  # the first time, and each time that it went on twice as long
            _log.warning(what, because=named(error), failures=self._failures, **where)

    async def _pause(self) -> None:
        """Nothing at the first failure, then longer and longer."""
        if self._failures > 1:
            self._metrics.waits.set(1)
            await asyncio.sleep(min(0.05 * 2 ** min(self._failures, 10), LONGEST_PAUSE_SECONDS))

    async def _connected(self) -> tuple[Store, Places]:
        if self._store is None:
            pool = await open_pool(self._dsn)
            try:
                await make_places(pool, self._projections)
            except BaseException:
                pool.terminate()
                raise
            self._store = Store(pool, self._source)
        if self._places is None:
            self._places = await asyncio.to_thread(Places, self._bootstrap, self._topic)
        return self._store, self._places

    async def _forget_places(self) -> None:
        if self._places is not None:
            places, self._places = self._places, None
            await asyncio.to_thread(places.close)

    async def _settle_leaving(self) -> None:
        """What became of the commits of lanes that are no more does not matter, but it must be over."""
        while self._leaving:
            lane = self._leaving[-1]
            try:
                await lane.settle()
            except (Again, *LOST) as error:
                _log.info("the last commit of a partition failed", partition=lane.partition, because=named(error))
            self._leaving.pop()

    async def _resume(self) -> None:
        if self._store is None or not self.lanes:
            return
        try:
            asked = await self._store.asked(self._projections, list(self.lanes))
        except LOST:
            return
        for place, partition, key in asked:
            if (lane := self.lanes.get(partition)) is None:
                continue
            try:
                await lane.resume(place, key)
            except Exception as error:
                await self._throw_away(lane, error)

    def _foreign(self, partition: int, offsets: Sequence[int]) -> None:
        self._metrics.foreign.inc(len(offsets))
        _log.error(
            "foreign records", topic=self._topic, partition=partition, first_offset=offsets[0], count=len(offsets)
        )
