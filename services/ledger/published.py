"""Up to where everything is on Kafka: what `?wait=published` waits for, and how far effects on the world may go."""

from __future__ import annotations

import asyncpg

from services.database.lost import ANSWER_SECONDS, LOST
from services.ledger.bell import Bell, in_time
from services.ledger.ledger import unavailable

ACKNOWLEDGED = "select relay.acknowledged() as position"


class Published:
    """Reads how far the relay has had acknowledged, as any role that may read; it belongs to one event loop.

    A topic that is made anew begins again from 0, so a later answer may be lower than an earlier one. Who waits for a
    position that once was reached is answered at once: it was on Kafka, and is sent again.
    """

    def __init__(self, dsn: str, poll_seconds: float = 5.0) -> None:
        self._dsn = dsn
        self._bell = Bell(dsn, ACKNOWLEDGED, poll_seconds, channel="relay")

    async def position(self) -> int:
        """Everything up to here is on Kafka now; raises LedgerUnavailable."""
        try:
            connection = await asyncpg.connect(self._dsn, timeout=ANSWER_SECONDS)
            try:
                return int(await connection.fetchval(ACKNOWLEDGED, timeout=ANSWER_SECONDS))
            finally:
                connection.terminate()
        except LOST as error:
            raise unavailable(error) from error

    async def wait_for(self, position: int, timeout_seconds: float) -> bool:
        """Wait until this position is on Kafka; False when the time is over."""
        return await in_time(self._bell.wait_for(position), timeout_seconds)

    async def beyond(self, position: int) -> int:
        """Wait, without an end, until more than this is on Kafka, and say how far it is by then."""
        return await self._bell.wait_for(position + 1)

    async def close(self) -> None:
        """Stop listening; whoever still waits is told so."""
        await self._bell.close()
