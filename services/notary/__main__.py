"""`python -m services.notary`: the notary of this deployment, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

import structlog

from services.local_problem import LocalProblem
from services.settings import SettingsRefused, read_settings
from services.telemetry import log_as_json
from services.wiring import open_notary


async def main() -> None:
    """Sign until somebody asks to end. Whatever is cut off is recorded, or is signed by the next one."""
    async with open_notary(read_settings()) as notary:
        running = asyncio.ensure_future(notary.run())
        loop = asyncio.get_running_loop()
        for asked in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(asked, running.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await running


if __name__ == "__main__":
    log_as_json()
    try:
        asyncio.run(main())
        structlog.get_logger("services.notary").info("notary_ends")
    except (LocalProblem, SettingsRefused) as problem:
        sys.exit(str(problem))
