"""A load that goes on while something else is tried."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def steady_load(append: Callable[[], Awaitable[object]], pause_seconds: float) -> AsyncIterator[None]:
    """Somebody appends, all the time: steadily, not as much as the machine can do."""
    stop = asyncio.Event()

    async def go_on() -> None:
        while not stop.is_set():
            await append()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_seconds)

    appending = asyncio.ensure_future(go_on())
    try:
        yield
    finally:
        stop.set()
        await appending
