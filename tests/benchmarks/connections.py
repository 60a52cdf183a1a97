"""Keep-alive HTTP/1.1 connections that cost little, so that what is measured is the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from uuid import uuid4

import orjson

from services.local.ports import answers

UNIT = "bi:c2015:gihanga"
REPORT = orjson.dumps(
    {
        "channel": "messenger",
        "language": "rn",
        "kind": "tension",
        "unit": UNIT,
        "place_precision": "commune",
        "text": "Bagiye ku musozi n'inkoni, abantu benshi bariko barahunga; turasaba ko mwotabara vuba. " * 3,
        "place_words": "ku musozi wa Gihanga, hafi y'ishuli",
    }
)
"""A report's body, of the length that reporters write."""


class Connection(asyncio.Protocol):
    """Sends one request, waits for its answer, sends the next, until the time is over."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.seconds: list[float] = []
        self.statuses: dict[int, int] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._until = until
        self._began = 0.0
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        self._began = time.perf_counter()
        if self._began >= self._until:
            self._transport.close()
            return
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        low = head.lower()
        at = low.find(b"content-length:")
        length = int(low[at + 15 :].partition(b"\r\n")[0]) if at >= 0 else 0
        if len(body) < length:
            return
        self._buffer = b""
        self.seconds.append(time.perf_counter() - self._began)
        status = int(head[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def load(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> tuple[float, list[float]]:
    """Requests a second and how long each took; every answer must be a good one."""
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made = [
        (await loop.create_connection(lambda: Connection(requests, began + seconds), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(one.done for one in made))
    took = time.perf_counter() - began
    statuses = {status for one in made for status in one.statuses}
    assert statuses <= {200, 201}, f"not only good answers: {statuses}"
    each = [second for one in made for second in one.seconds]
    return len(each) / took, each


async def is_ready(port: int) -> bool:
    """Whether the API could serve everything: its projections have been made."""
    if not answers(port):
        return False
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("GET", "/readyz"))
    status = await reader.readline()
    writer.close()
    return b" 200 " in status


def reports(token: str, path: str = "/v1/reports") -> Iterator[bytes]:
    """The same report without end, each time as a new one."""
    while True:
        yield request("POST", path, token, REPORT, key=str(uuid4()))


def request(method: str, path: str, token: str = "", body: bytes = b"", key: str = "") -> bytes:
    """One request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
    lines += [f"authorization: Bearer {token}"] * bool(token)
    lines += ["content-type: application/json", f"content-length: {len(body)}"] * bool(body)
    lines += [f"idempotency-key: {key}"] * bool(key)
    return "\r\n".join([*lines, "", ""]).encode() + body
