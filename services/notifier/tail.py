"""What subscribers may be sent, read once for all as it comes, and the registers by which it is understood."""

from __future__ import annotations

import asyncio
import tomllib
from bisect import bisect_right
from collections.abc import Sequence

import asyncpg
import structlog

from events.alert import AlertChange
from events.catalogue import read
from events.places.gazetteer import Gazetteer
from events.reference import GazetteerAdopted, RulesAdopted
from services.database.lost import LOST
from services.ledger.alerts import Progress, pages
from services.ledger.ledger import LedgerError, Recorded, unavailable
from services.notifier.lead import SQL
from services.subscribers.filters import PublicEvent
from services.words.said import ALERTS_FROM

PAGE = 200
KEPT = 1_000
"""Events kept in memory for whoever is close to the end; who is further behind reads the ledger itself."""

AGAIN_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class Tail:
    """Follows the alerts up to what the relay has had acknowledged, as the role intabaza_notifier."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], published: Progress) -> None:
        self._pool = pool
        self._published = published
        self._begun = False
        self._head = 0
        self._newest = 0
        self._kept: list[PublicEvent] = []
        self._kept_after = 0
        self._rung = asyncio.Event()
        self._rules_version = self._gazetteer_version = 0
        self._lowest: dict[str, int] = {}
        self.gazetteer: Gazetteer | None = None

    async def run(self) -> None:
        """Follow, for ever; while a server is away nobody hears anything and nothing is lost."""
        while True:
            try:
                if not self._begun:
                    await self._begin()
                await self._take(await self._published.beyond(self._head))
            except LedgerError as error:
                _log.warning("alerts_wait_for_the_ledger", error=type(error).__name__)
                await asyncio.sleep(AGAIN_SECONDS)

    async def begun(self) -> None:
        """Wait until the registers were read."""
        while not self._begun:
            await self._rung.wait()

    async def beyond(self, position: int) -> int:
        """Wait until there may be an event after this position, and say up to where to read."""
        while not self._begun or self._newest <= position:
            await self._rung.wait()
        return self._head

    async def events(self, after: int, until: int, limit: int = PAGE) -> Sequence[PublicEvent]:
        """Events after a position and up to another, in order; raises LedgerUnavailable."""
        if after >= self._kept_after:
            first = bisect_right(self._kept, after, key=lambda event: event.position)
            last = bisect_right(self._kept, until, key=lambda event: event.position)
            return self._kept[first : min(last, first + limit)]
        return [PublicEvent.of(row) for row in await self._read(after, until, limit)]

    def stands(self, alert: PublicEvent) -> bool:
        """Whether an alert warns, by the rules of its time: one that does not ends what was told."""
        lowest = self._lowest.get(alert.data["rules_hash"], ALERTS_FROM)
        return bool(alert.data["change"] != AlertChange.CANCELLED.value and alert.level >= lowest)

    async def _begin(self) -> None:
        await self._look_at_the_registers()
        # What lies before may hold something for everybody: they look once, each from where it stands.
        self._head = self._newest = self._kept_after = await self._published.position()
        self._begun = True
        self._ring()

    async def _take(self, until: int) -> None:
        async for rows in pages(self._read, self._head, until, PAGE):
            # Read after the alerts, so that whatever was adopted before them is known.
            await self._look_at_the_registers()
            self._kept.extend(map(PublicEvent.of, rows))
            if (dropped := len(self._kept) - KEPT) > 0:
                self._kept_after = self._kept[dropped - 1].position
                del self._kept[:dropped]
            self._head = self._newest = rows[-1].position
            self._ring()
        self._head = max(self._head, until)

    async def _look_at_the_registers(self) -> None:
        for row in await self._fetch("rules", self._rules_version):
            recorded = Recorded(*row)
            match read(recorded.wire()).data:
                case RulesAdopted(content=rules, content_hash=digest):
                    self._lowest[digest] = tomllib.loads(rules).get("alerts", {}).get("from_level", ALERTS_FROM)
            self._rules_version = recorded.version
        for row in await self._fetch("gazetteer", self._gazetteer_version):
            recorded = Recorded(*row)
            match read(recorded.wire()).data:
                case GazetteerAdopted(content=content):
                    self.gazetteer = Gazetteer.from_content(content)
            self._gazetteer_version = recorded.version

    async def _read(self, after: int, until: int, limit: int) -> Sequence[Recorded]:
        return [Recorded(*row) for row in await self._fetch("alerts", after, until, limit)]

    async def _fetch(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        try:
            return await self._pool.fetch(SQL[query], *arguments)
        except LOST as error:
            raise unavailable(error) from error

    def _ring(self) -> None:
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()
