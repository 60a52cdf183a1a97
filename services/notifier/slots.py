"""How many may be sent to at once. Who failed or was slow the last time stands in another line than the others."""

from __future__ import annotations

import asyncio

SLOW_SECONDS = 1.0
"""An answer that takes longer is slow: most receivers answer in a tenth of it."""


class Slots:
    """Two lines of equal length: receivers that hang fill their own, and keep nobody else waiting.

    Whoever begins to hang does it once in the quick one, for no longer than a try may take.
    """

    def __init__(self, count: int) -> None:
        self._quick = asyncio.Semaphore(count)
        self._slow = asyncio.Semaphore(count)

    def line(self, *, slow: bool) -> asyncio.Semaphore:
        return self._slow if slow else self._quick
