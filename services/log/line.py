"""One connection to one broker, in the event loop that asks by it: no thread stands between a question and its answer.

It is never made again. Whoever holds it knows that what it says now came by the connection that it was opened as.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from kafka.errors import KafkaError
from kafka.protocol.broker_version_data import BrokerVersionData
from kafka.protocol.metadata import ApiVersionsRequest
from kafka.protocol.parser import KafkaProtocol

LARGEST_ANSWER_BYTES = 8 * 2**20


class LineLost(Exception):
    """The connection is gone, or no answer came in time: whether the last question was heard is not known."""


class Line(asyncio.Protocol):
    """Asks a broker and gives its answers in the order in which was asked; `on_loss` is told once that it is gone."""

    def __init__(self, client_id: str, answer_seconds: float, on_loss: Callable[[], None] = lambda: None) -> None:
        self._kafka = KafkaProtocol(client_id=client_id, receive_message_max_bytes=LARGEST_ANSWER_BYTES)
        self._answer_seconds = answer_seconds
        self._on_loss = on_loss
        self._asked: deque[asyncio.Future[Any]] = deque()
        self._transport: asyncio.Transport | None = None
        self._versions = BrokerVersionData(api_versions={ApiVersionsRequest.API_KEY: (0, 0)})
        self._over = False

    @classmethod
    async def open(
        cls, host: str, port: int, client_id: str, answer_seconds: float, on_loss: Callable[[], None] = lambda: None
    ) -> Line:
        """Connect, and learn what the broker understands. Raises OSError, KafkaError or LineLost."""
        line = cls(client_id, answer_seconds, on_loss)
        try:
            async with asyncio.timeout(answer_seconds):
                await asyncio.get_running_loop().create_connection(lambda: line, host, port)
            told = await line.ask(ApiVersionsRequest())
            line._versions = BrokerVersionData(
                api_versions={one.api_key: (one.min_version, one.max_version) for one in told.api_keys}
            )
        except BaseException:
            line.break_off()
            raise
        return line

    async def ask(self, request: Any, most_version: int | None = None) -> Any:
        """The broker's answer, in the newest version that both know. Raises LineLost, and KafkaError where none is."""
        if self._over or self._transport is None:
            raise LineLost("the connection is gone")
        known = self._versions.api_version(request, **({} if most_version is None else {"max_version": most_version}))
        request.API_VERSION = known
        self._kafka.send_request(request)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._transport.write(self._kafka.send_bytes())
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await answer
        except TimeoutError:
            self.break_off()
            raise LineLost(f"no answer came within {self._answer_seconds:.0f} s") from None

    def break_off(self) -> None:
        """End it now: what it has not handed to the system is dropped, and who waits for an answer is told."""
        if self._transport is not None:
            self._transport.abort()
        self._end()

    # --- what the event loop calls --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._over:  # broken off while it was being made
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            for _, told in self._kafka.receive_bytes(data):
                answer = self._asked.popleft()
                if not answer.done():
                    answer.set_result(told)
        except (KafkaError, ValueError):  # what it says is no answer to what was asked: nothing of it can be trusted
            self.break_off()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        for answer in self._asked:
            if not answer.done():
                answer.set_exception(LineLost("the connection is gone"))
        self._asked.clear()
        self._on_loss()
