"""A receiver of webhooks on a real port, which answers as a test says and remembers everything that came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

from aiohttp import web

Behaviour = Callable[["Receiver", web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Came:
    """One request as it came, with when it began and ended by the loop's clock."""

    headers: Mapping[str, str]
    body: bytes
    began: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it carried, by itself or in a batch."""
        carried = json.loads(self.body)
        return carried if isinstance(carried, list) else [carried]

    @property
    def position(self) -> int:
        return int(self.event["sequence"])


async def takes(receiver: Receiver, request: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


def answers(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Behaviour:
    async def answer(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=headers, body=body)

    return answer


async def hangs(receiver: Receiver, request: web.Request) -> web.StreamResponse:
    """Until the receiver is closed."""
    await receiver.closing.wait()
    raise web.HTTPServiceUnavailable


async def closes(receiver: Receiver, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@dataclass
class Receiver:
    """`behaves` decides on each request; what it answered with 2xx is what it took."""

    behaves: Behaviour = takes
    came: list[Came] = field(default_factory=list)
    taken: list[Came] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        came = Came(
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
            asyncio.get_running_loop().time(),
        )
        self.came.append(came)
        self._rung.set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            response = await self.behaves(self, request)
        finally:
            self.at_once -= 1
        if 200 <= response.status < 300 and self.behaves is not closes:
            self.taken.append(came)
            self._rung.set()
        return response

    @property
    def state(self) -> dict[str, bytes]:
        """What a receiver knows that keeps each id once."""
        return {one.id: one.body for one in self.taken}

    async def until(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Return as soon as this holds of what came."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._rung.clear()
                await self._rung.wait()

    async def has_taken(self, count: int, seconds: float = 120) -> None:
        """Return when it has taken so many different events."""
        await self.until(lambda: len(self.state) >= count, seconds)


@asynccontextmanager
async def a_receiver(behaves: Behaviour = takes, tls: SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Listening on 127.0.0.1, on a port of the kernel's."""
    receiver = Receiver(behaves)
    app = web.Application(client_max_size=2_000_000)
    app.router.add_route("*", "/{tail:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/hooks"
    try:
        yield receiver
    finally:
        receiver.closing.set()
        await runner.cleanup()
