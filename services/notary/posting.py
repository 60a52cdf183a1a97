"""One request to a witness over HTTP, and its answer, which is bounded in time and size; redirects are not followed.

Where it goes to is an operator's word, so nothing is said here of networks: a witness may stand in one's own.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from yarl import URL

from services.outgoing import Resolver, SystemNames, told_of

USER_AGENT = "Intabaza-Notary/1"
KEEP_ALIVE_SECONDS = 3.0
"""Less than the five seconds after which many servers close: a request on a connection that just ended is lost."""

MOST_READ_BYTES = 65_536
"""Of an answer: several hundred cosignatures."""


class Unanswered(Exception):
    """There is no answer that could be read; the message says why, in our words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answered."""

    status: int
    media_type: str
    text: str


class Posting:
    """Sends to all witnesses of a notary; it belongs to one event loop."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    @asynccontextmanager
    async def opened(cls, seconds: float) -> AsyncIterator[Posting]:
        """Each request takes at most so long, with everything."""
        connector = aiohttp.TCPConnector(
            resolver=Resolver(SystemNames()),
            use_dns_cache=False,
            ssl=ssl.create_default_context(),
            limit=0,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=seconds, ceil_threshold=1e9),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        ) as session:
            yield cls(session)

    async def post(self, url: str, body: bytes) -> Answer:
        """Ask once; raises Unanswered."""
        try:
            async with self._session.post(URL(url), data=body, allow_redirects=False) as response:
                read = bytearray()
                while piece := await response.content.read(MOST_READ_BYTES):
                    read += piece
                    if len(read) > MOST_READ_BYTES:
                        response.close()
                        raise Unanswered(f"its answer is longer than {MOST_READ_BYTES} bytes")
                return Answer(response.status, response.content_type, read.decode(errors="replace"))
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unanswered(told_of(error)) from error
