"""A process of ours on servers of a test's own, which the test kills, freezes and wakes, and whose log it reads."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from services.settings import Settings, child_environment


class Process:
    """`python -m module` with a data folder of its own and what the environment says of its servers."""

    def __init__(self, folder: Path, environment: Mapping[str, str], module: str, *how: str) -> None:
        self._environment = {**child_environment(Settings(data_folder=folder)), **environment}
        self._command = [sys.executable, "-m", module, *how]
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Return as soon as this holds of its log; fail when it ends or takes too long."""
        async with asyncio.timeout(seconds):
            while not condition():
                assert self.runs, self.said
                await asyncio.sleep(0.02)

    async def says(self, words: str, seconds: float = 60) -> None:
        """Return when its log has these words."""
        await self.until(lambda: words in self.said, seconds)

    async def ended(self, seconds: float = 30) -> int:
        """Its exit status, as soon as it ends by itself."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, seconds)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None and self.runs:
            self.process.kill()
            self.process.wait(10)
