"""One line for each request that says neither who nor what; lines are written together, a few times a second."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

import orjson

WRITE_SECONDS = 0.2


class AccessLog:
    """Keeps the lines of a moment, in the form of every other line (services/telemetry); for one event loop."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def note(self, began: datetime, method: str, route: str, status: int, role: str | None, seconds: float) -> None:
        """A request that began at this time has been answered."""
        line = {
            "method": method,
            "route": route,
            "status": status,
            "role": role,
            "milliseconds": round(seconds * 1e3, 1),
            "event": "request",
            "level": "info",
            "timestamp": began,
        }
        if not self._lines:
            asyncio.get_running_loop().call_later(WRITE_SECONDS, self.write)
        self._lines.append(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))

    def write(self) -> None:
        """Write what is kept; also when the process ends."""
        if self._lines:
            sys.stdout.write(b"".join(self._lines).decode())
            sys.stdout.flush()
            self._lines.clear()
