"""`python -m services.notifier`: the notifier of this deployment, until SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import structlog

from services.local_problem import LocalProblem
from services.settings import SettingsRefused, read_settings
from services.telemetry import log_as_json
from services.vault.refused import MasterKeyRefused
from services.wiring import open_notifier


async def main() -> None:
    """Notify until somebody asks to end."""
    async with open_notifier(read_settings()) as notifier:
        loop = asyncio.get_running_loop()
        for asked in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(asked, notifier.stop)
        await notifier.run()


if __name__ == "__main__":
    log_as_json()
    try:
        with asyncio.Runner() as runner:
            runner.run(main())
            structlog.get_logger("services.notifier").info("notifier_ends")
            # a thread that waits for a name server cannot be interrupted, and Python would wait for it
            sys.stdout.flush()
            os._exit(0)
    except (LocalProblem, SettingsRefused, MasterKeyRefused) as problem:
        sys.exit(str(problem))
