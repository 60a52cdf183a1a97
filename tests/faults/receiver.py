"""A receiver of webhooks in a process of its own: what comes is written into the history before it is answered.

`python -m tests.faults.receiver` prints its port. `PUT /tell` says into which history it writes and how it answers from
now on: with a status, or by hanging until it is told otherwise, or by closing the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from aiohttp import web

from services import clock

HOOKS, TELL = "/hooks/{to}", "/tell"
ALL, SOME, GROUPED, INHIBITING = "all", "some", "grouped", "inhibiting"
"""Who is told of every alert, and is told how to answer. And who always takes them: who asked for some, who is told of
a province at a time, and who wants no lower one while a higher one of a unit above stands."""
TAKES, HANGS, CLOSES = "204", "hangs", "closes"
SLOWLY_SECONDS = 0.02
"""Long enough that what strikes a notifier often falls into the middle of a webhook."""
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Receiver:
    """The process, as whoever strikes sees it."""

    process: asyncio.subprocess.Process
    port: int

    def url(self, to: str) -> str:
        return f"http://127.0.0.1:{self.port}{HOOKS.format(to=to)}"

    async def writes_into(self, history: Path) -> None:
        await self._tell({"history": str(history)})

    async def answers(self, how: str) -> int:
        """From now on, where all is told; returns how many requests had come there until then."""
        return await self._tell({"how": how})

    async def came(self, to: str = ALL) -> int:
        """How many requests have come there."""
        return await self._tell({}, to)

    async def _tell(self, words: Mapping[str, str], to: str = ALL) -> int:
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.put(f"http://127.0.0.1:{self.port}{TELL}", json=words)
        return int(answer.raise_for_status().json()["came"].get(to, 0))


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """Until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.receiver", cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        yield Receiver(process, int(await process.stdout.readline()))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class _Hooks:
    def __init__(self) -> None:
        self.history: Path | None = None
        self.how = TAKES
        self.came: Counter[str] = Counter()
        self.changed = asyncio.Event()

    async def tell(self, request: web.Request) -> web.Response:
        words = await request.json()
        if "history" in words:
            self.history = Path(words["history"])
        if "how" in words:
            self.how = words["how"]
            self.changed.set()
            self.changed = asyncio.Event()
        return web.json_response({"came": self.came})

    async def hook(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        to = request.match_info["to"]
        self.came[to] += 1
        how = self.how if to == ALL else TAKES
        if how == HANGS:
            self._write(request, body, None)
            await self.changed.wait()
            how = CLOSES
        else:
            await asyncio.sleep(SLOWLY_SECONDS)
            self._write(request, body, int(how) if how != CLOSES else None)
        if how == CLOSES:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=int(how))

    def _write(self, request: web.Request, body: str, answered: int | None) -> None:
        assert self.history is not None, "nothing is to come before there is a history"
        line: dict[str, Any] = {
            "what": "received",
            "at": round(time.monotonic(), 6),
            "received_at": round(clock.now().timestamp(), 3),
            "to": request.match_info["to"],
            **{name: request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")},
            "content_type": request.content_type,
            "body": body,
            "answered": answered,
        }
        with self.history.open("ab", buffering=0) as lines:  # one write: others write there too
            lines.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


async def main() -> None:
    hooks = _Hooks()
    app = web.Application(client_max_size=2_000_000)
    app.router.add_put(TELL, hooks.tell)
    app.router.add_post(HOOKS, hooks.hook)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
