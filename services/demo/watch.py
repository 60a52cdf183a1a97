"""What a play looks like from outside: levels and their reasons, alerts, lags; read through the API alone."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
import orjson

from services.demo.cast import Cast
from services.demo.door import NoAnswer
from services.demo.play import Playing

LEVELS_SECONDS = 1.0
LAG_SECONDS = 0.75
LOOK_SECONDS = 0.02
"""Looking costs the API as much as a command does, so it looks rarely."""
LOST_SECONDS = 30.0
MOST_ASKED = 4
"""Units whose changes are asked for at one look; the others' are told at the end."""
STAGES = ("acknowledged", "then on Kafka", "then in all projections")
"""How long the first takes is measured from sending a command on, of the others from seeing it acknowledged."""


@dataclass(frozen=True, slots=True)
class Change:
    """A level that changed, and why."""

    unit: str
    number: int
    before: int
    after: int
    cause: str
    at: datetime
    why: tuple[tuple[str, int], ...]
    """Kinds of the cases that it adds up, with the thousandths of points that each counts."""

    @classmethod
    def read(cls, unit: str, told: dict[str, Any]) -> Change:
        listed = told["explanation"]["contributions"]
        return cls(
            unit,
            told["number"],
            told["from"],
            told["to"],
            told["cause"],
            datetime.fromisoformat(told["effective_at"]),
            tuple((one["kind"], one["counted"]) for one in listed),
        )


@dataclass
class Watch:
    """What was seen so far."""

    cast: Cast
    playing: Playing
    levels: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: deque[Change] = field(default_factory=lambda: deque(maxlen=50))
    alerts: int = 0
    last_alert: dict[str, Any] | None = None
    lags: dict[str, list[float]] = field(default_factory=lambda: {stage: [] for stage in STAGES[1:]})
    trouble: str = ""
    _known: dict[str, tuple[int | None, str | None]] = field(default_factory=dict)
    _told: dict[str, int] = field(default_factory=dict)

    async def look(self) -> None:
        """Watch until this is cancelled; what cannot be read now is read later."""
        await asyncio.gather(
            self._again(self._levels, LEVELS_SECONDS),
            self._again(self._lag, LAG_SECONDS),
            self._again(self._alerts, 1.0),
        )

    async def _again(self, look: Any, seconds: float) -> None:
        while True:
            try:
                await look()
                self.trouble = ""
            except (NoAnswer, aiohttp.ClientError, TimeoutError) as error:
                self.trouble = str(error)
            await asyncio.sleep(seconds)

    async def _levels(self) -> None:
        door, analyst = self.playing.door, self.cast.analyst
        changed = []
        for row in await door.all_of(analyst, "/v1/levels", "levels"):
            unit = row["unit"]
            self.levels[unit] = row
            mark = (row["level"], row["since"])
            if self._known.get(unit) != mark and row["since"] is not None:
                changed.append(unit)
            self._known[unit] = mark
        for unit in sorted(changed, key=lambda one: self.levels[one]["since"], reverse=True)[:MOST_ASKED]:
            told = await door.ask(analyst, f"/v1/levels/{unit}/history", limit="3")
            news = [Change.read(unit, one) for one in told["changes"]]
            for change in reversed(news):
                if change.number > self._told.get(unit, 0):
                    self._told[unit] = change.number
                    self.changes.append(change)

    async def _lag(self) -> None:
        """How long the command that was acknowledged last takes to be on Kafka, and to be folded everywhere."""
        position, began = self.playing.position, time.perf_counter()
        if not position or self.playing.ended:
            return
        awaited = set(self.lags)
        while awaited and time.perf_counter() - began < LOST_SECONDS:
            told = await self.playing.door.ask(self.cast.auditor, f"/v1/positions/{position}")
            reached = {STAGES[1]: told["published"], STAGES[2]: all(told["projected"].values())}
            for stage in [one for one in awaited if reached[one]]:
                self.lags[stage].append(time.perf_counter() - began)
                awaited.remove(stage)
            if awaited:
                await asyncio.sleep(LOOK_SECONDS)

    async def _alerts(self) -> None:
        """Follow what strangers are told, as any of them would."""
        door = self.playing.door
        headers = await asyncio.to_thread(door.headers_of, self.cast.consumer)
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        parameters = {"after": str(self.last_alert["position"])} if self.last_alert else {}
        async with door.session.get("/v1/alerts/stream", headers=headers, params=parameters, timeout=timeout) as stream:
            if stream.status >= 400:
                raise NoAnswer(f"The stream of alerts answers {stream.status}.")
            position = 0
            async for line in stream.content:
                if line.startswith(b"id: "):
                    position = int(line[4:])
                elif line.startswith(b"data: "):
                    self.alerts += 1
                    self.last_alert = {"position": position, **orjson.loads(line[6:])["data"]}

    async def histories(self) -> dict[str, list[Change]]:
        """Every change of every unit, the first one first."""
        door, analyst = self.playing.door, self.cast.analyst
        rows = await door.all_of(analyst, "/v1/levels", "levels")
        self.levels = {row["unit"]: row for row in rows}
        found: dict[str, list[Change]] = {}
        for unit in self.levels:
            told = await door.all_of(analyst, f"/v1/levels/{unit}/history", "changes")
            found[unit] = [Change.read(unit, one) for one in reversed(told)]
        return found


async def watching(watch: Watch) -> None:
    """Watch in the background; ends quietly when it is cancelled."""
    with suppress(asyncio.CancelledError):
        await watch.look()


def quantiles(seconds: list[float]) -> Iterator[float]:
    """The median and the 99th percentile; nothing of nothing."""
    if seconds:
        ranked = sorted(seconds)
        for permille in (500, 990):
            yield ranked[min(len(ranked) - 1, len(ranked) * permille // 1000)]
