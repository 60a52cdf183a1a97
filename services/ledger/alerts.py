"""What strangers may be told, from the ledger, in order of position: the one source of everything that leaves us.

Nobody may be told of what is not on Kafka: the end of what is read is what the relay has had acknowledged.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from services.ledger.ledger import Recorded


class Alerts(Protocol):
    """Where alerts are read."""

    async def read_alerts(self, after_position: int, until_position: int, limit: int = 1000) -> Sequence[Recorded]:
        """Up to `limit` alerts after a position and up to another, in order; none means there are no more."""
        ...


class Progress(Protocol):
    """How far the relay is (services/ledger/published)."""

    async def position(self) -> int: ...

    async def beyond(self, position: int) -> int: ...


class Placed(Protocol):
    """What stands at a position."""

    @property
    def position(self) -> int: ...


P = TypeVar("P", bound=Placed)


async def pages(
    read: Callable[[int, int, int], Awaitable[Sequence[P]]], after: int, until: int, limit: int
) -> AsyncIterator[Sequence[P]]:
    """What is read after a position and up to another, page by page."""
    while rows := await read(after, until, limit):
        yield rows
        after = rows[-1].position
