"""`GET /v1/alerts/stream`: server-sent events, from now on or from any position, until the client or the token ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.api.connection import break_off
from services.api.feed import AlertFeed, CutOff, Listener
from services.api.office import Office, still_asks, who_asks
from services.api.problems import BAD_PARAMETER, Refused
from services.api.reading import refuse_unknown
from services.ledger.ledger import LedgerError

SEND_SECONDS = 10.0
"""A client that takes nothing for so long is cut off: it comes back with the last id that it saw."""

OPERATION = "read.alerts"
PARAMETERS = frozenset({"after"})
RETRY = b"retry: 2000\n\n"
HEARTBEAT = b": still here\n\n"

_log = structlog.get_logger(__name__)


async def stream(office: Office, route: object, request: Request) -> Response:
    """Alerts after `Last-Event-ID` or `?after=`, then as they come; raises Refused."""
    person_id = who_asks(office, request, OPERATION).bearer.person_id
    refuse_unknown(request, PARAMETERS)
    after = _after(request)
    if after is not None and after > office.feed.head and after > (await office.ledger.head()).position:
        # It would wait for ever, and hear nothing.
        raise Refused(BAD_PARAMETER, "Last-Event-ID or after: expected an id of this ledger; begin again with after=0.")
    office.limits.streams.take(person_id)
    return AlertStream(office, request, after, lambda: office.limits.streams.give_back(person_id))


def _after(request: Request) -> int | None:
    sent = request.headers.get("last-event-id") or request.query_params.get("after")
    if sent is None:
        return None
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 18):
        raise Refused(BAD_PARAMETER, "Last-Event-ID or after: expected the id of an alert, a number; copy it.")
    return int(sent)


class AlertStream(Response):
    """One client's stream; it is sent to with a deadline, so that nobody's slowness piles up here."""

    media_type = "text/event-stream"

    def __init__(self, office: Office, request: Request, after: int | None, ended: Callable[[], None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._office = office
        self._request = request
        self._after = after
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._serve(receive, send)
        finally:
            self._ended()

    async def _serve(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        sending = asyncio.ensure_future(self._send(send))
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            sending.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await sending

    async def _send(self, send: Send) -> None:
        feed = self._office.feed
        with feed.listen(self._after or 0, lambda: break_off(self._request)) as listener:
            try:
                await _give(send, RETRY if self._after is not None else RETRY + _from_here(listener))
                async for piece in self._pieces(feed, listener):
                    try:
                        still_asks(self._office, self._request, OPERATION)
                    except Refused:
                        raise CutOff from None
                    await _give(send, piece)
            except CutOff:
                pass
            except LedgerError as error:
                _log.warning("alert_stream_ends", error=type(error).__name__)
            except TimeoutError:
                # What is buffered for it would stay until it is gone, and it may never be.
                _log.info("alert_stream_cut_off", because="the client took nothing")
                break_off(self._request)
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pieces(self, feed: AlertFeed, listener: Listener) -> AsyncIterator[bytes]:
        """What was missed, then what comes, with a sign of life in between."""
        if self._after is not None:
            async for piece in feed.missed(self._after, listener):
                yield piece
        while True:
            try:
                async with asyncio.timeout(self._office.heartbeat_seconds):
                    piece = await listener.next()
            except TimeoutError:
                piece = HEARTBEAT
            yield piece


def _from_here(listener: Listener) -> bytes:
    """An id without an event: whoever is cut off before the first alert comes back to here, and not to a later now."""
    return b"id: %d\n\n" % listener.joined_at


async def _give(send: Send, piece: bytes) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
