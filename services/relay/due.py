"""When something falls due next, by what the projections say beside their watermarks."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import structlog

from services.database.lost import LOST
from services.relay.leader import SQL

ANSWER_SECONDS = 4.0

_log = structlog.get_logger(__name__)


class ProjectionsDue:
    """Asks Postgres on a connection of its own: whatever is wrong with projections, the leader keeps its session."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._told = False

    async def __call__(self, last: datetime) -> datetime | None:
        """The earliest after the last tick, of all projections and partitions; None where nothing is due then or nobody
        can be asked."""
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(
                    self._dsn, timeout=ANSWER_SECONDS, server_settings={"application_name": "intabaza relay due"}
                )
            if not await self._connection.fetchval(SQL["watermarks_exist"], timeout=ANSWER_SECONDS):
                return None
            due: datetime | None = await self._connection.fetchval(SQL["next_due"], last, timeout=ANSWER_SECONDS)
        except LOST as error:
            self.close()
            if not self._told:
                _log.warning("relay_knows_of_nothing_due", because=str(error) or type(error).__name__)
            self._told = True
            return None
        self._told = False
        return due

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None
