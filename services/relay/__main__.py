"""`python -m services.relay`: the relay of this deployment, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys

import structlog
import uvloop

from services.local_problem import LocalProblem
from services.settings import SettingsRefused, read_settings
from services.wiring import open_relay

END_SECONDS = 3.0
"""How long an orderly end may take. Whatever is cut off is found again by the next start procedure."""


async def main() -> None:
    """Relay until somebody asks to end."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for asked in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(asked, stopping.set)
    relaying = asyncio.ensure_future(_relay())
    stopped = asyncio.ensure_future(stopping.wait())
    await asyncio.wait([relaying, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if relaying.done():
        relaying.result()
    relaying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait([relaying], timeout=END_SECONDS)


async def _relay() -> None:
    async with open_relay(read_settings()) as relay:
        await relay.run()


if __name__ == "__main__":
    # every failure of the client is told here with what it means; its own lines would go on for as long as a broker is
    # away
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
            structlog.get_logger("services.relay").info("relay_ends")
            # a thread that waits for a broker cannot be interrupted, and Python would wait for it
            sys.stdout.flush()
            os._exit(0)
    except (LocalProblem, SettingsRefused) as problem:
        sys.exit(str(problem))
