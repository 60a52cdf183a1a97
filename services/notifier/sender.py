"""One try: a signed POST to an address that was checked as it was connected to; what came of it in our own words.

Nothing that a receiver says is kept but its status: a body or a header may hold anything.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from services import clock
from services.notifier.retrying import retry_after
from services.subscribers.addresses import AddressRefused, Reachable
from services.subscribers.filters import PublicEvent
from services.subscribers.secrets import Signer, signatures

CONTENT_TYPE = "application/cloudevents+json"
USER_AGENT = "Intabaza-Notifier/1"

MOST_READ_BYTES = 16_384
READ_SECONDS = 1.0
"""How much of an answer is read, and for how long, so that its connection can be used again; else it is closed."""

KEEP_ALIVE_SECONDS = 3.0
"""Less than the five seconds after which many servers close: a webhook on a connection that just ended is lost."""

GONE = 410

AddressInfo = tuple[Any, ...]
GetAddressInfo = Callable[[str, int], Awaitable[Sequence[AddressInfo]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try. `asked` are the seconds after which the receiver wants the next; `gone` wants none."""

    status: int | None
    error: str | None
    seconds: float
    asked: float | None = None

    @property
    def delivered(self) -> bool:
        return self.error is None

    @property
    def gone(self) -> bool:
        return self.status == GONE


class SystemNames:
    """Addresses of names, as the system knows them; asking takes a thread until there is an answer, without an end.

    So a name whose server hangs has one thread and no second one, and there are more threads than the loop's own few.
    """

    def __init__(self, threads: int = 256) -> None:
        self._threads = ThreadPoolExecutor(threads, "names")  # made as they are needed
        self._asking: dict[tuple[str, int], asyncio.Future[Sequence[AddressInfo]]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[AddressInfo]:
        if (asking := self._asking.get((host, port))) is None:
            ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            asking = asyncio.get_running_loop().run_in_executor(self._threads, ask)
            self._asking[host, port] = asking
            asking.add_done_callback(lambda done: self._answered(host, port, done))
        return await asyncio.shield(asking)

    def _answered(self, host: str, port: int, done: asyncio.Future[Sequence[AddressInfo]]) -> None:
        del self._asking[host, port]
        if not done.cancelled():
            done.exception()  # nobody may wait for it any more


class CheckedResolver(AbstractResolver):
    """Resolves a name once for a connection, and refuses it unless every address of it is allowed."""

    def __init__(self, reachable: Reachable, ask: GetAddressInfo) -> None:
        self._reachable = reachable
        self._ask = ask

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found: list[ResolveResult] = []
        for address_family, _, proto, _, address in await self._ask(host, port):
            self._reachable.refuse_address(address[0], port)
            found.append(
                ResolveResult(
                    hostname=host,
                    host=address[0],
                    port=port,
                    family=address_family,
                    proto=proto,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
            )
        return found

    async def close(self) -> None:
        pass


class Sender:
    """Sends for all subscribers; it belongs to one event loop, in which `open` makes it."""

    def __init__(self, session: aiohttp.ClientSession, names: GetAddressInfo) -> None:
        self._session = session
        self.names = names

    @classmethod
    def open(
        cls,
        reachable: Reachable,
        *,
        connect_seconds: float,
        total_seconds: float,
        authorities: Path | None = None,
        ask: GetAddressInfo | None = None,
    ) -> Sender:
        """`authorities` is a file of certificates that are trusted beside the system's."""
        names = ask or SystemNames()
        tls = ssl.create_default_context()
        if authorities is not None:
            tls.load_verify_locations(authorities)

        def connected_to(info: AddressInfo) -> socket.socket:
            family, kind, proto, _, address = info
            reachable.refuse_address(address[0], address[1])
            return socket.socket(family, kind, proto)

        connector = aiohttp.TCPConnector(
            resolver=CheckedResolver(reachable, names),
            socket_factory=connected_to,
            use_dns_cache=False,
            ssl=tls,
            limit=0,  # each subscriber has one, and the notifier counts them
            keepalive_timeout=KEEP_ALIVE_SECONDS,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(
                total=total_seconds, connect=connect_seconds, sock_connect=connect_seconds, ceil_threshold=1e9
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": USER_AGENT, "Content-Type": CONTENT_TYPE, "Accept-Encoding": "identity"},
        )
        return cls(session, names)

    async def close(self) -> None:
        await self._session.close()

    async def send(self, url: str, signers: list[Signer], event: PublicEvent) -> Answer:
        """Try once; it takes no longer than the timeout, and raises nothing."""
        now = clock.now()
        message_id = str(event.row.event_id)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signatures(signers, message_id, now, event.wire),
        }
        began = asyncio.get_running_loop().time()

        def answer(status: int | None, error: str | None, asked: float | None = None) -> Answer:
            return Answer(status, error, asyncio.get_running_loop().time() - began, asked)

        try:
            async with self._session.post(
                URL(url, encoded=True), data=event.wire, headers=headers, allow_redirects=False
            ) as response:
                asked = retry_after(response.headers.get("Retry-After"), now)
                answered = answer(response.status, _told_by(response.status), asked)
                await _read_a_little(response)
                return answered
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            return answer(None, _told_of(error))


async def _read_a_little(response: aiohttp.ClientResponse) -> None:
    """What it answered is decided: this only finds out whether its connection can be used again."""
    read = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            while read <= MOST_READ_BYTES and (piece := await response.content.read(MOST_READ_BYTES)):
                read += len(piece)
    except (OSError, aiohttp.ClientError, TimeoutError):
        read = MOST_READ_BYTES + 1
    if read > MOST_READ_BYTES:
        response.close()


def _told_by(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"it answered {status}: redirects are not followed"
    return f"it answered {status}"


def _told_of(error: BaseException) -> str:
    """A sentence for what went wrong, and nothing that anybody else has said."""
    causes: list[BaseException] = []
    look: BaseException | None = error
    while look is not None and look not in causes:
        causes.append(look)
        look = look.__cause__ or getattr(look, "os_error", None) or look.__context__
    known: tuple[tuple[type[BaseException], str], ...] = (
        (AddressRefused, "its name leads to an address that nothing may be sent to"),
        (ssl.SSLError, "its certificate or its TLS is not trusted"),
        (ssl.CertificateError, "its certificate is not trusted"),
        (socket.gaierror, "its name cannot be resolved"),
        (ConnectionRefusedError, "it refused the connection"),
        (aiohttp.ServerDisconnectedError, "it closed the connection without an answer"),
        (TimeoutError, "it did not answer in time"),
        (aiohttp.ClientConnectionError, "it could not be reached"),
        (aiohttp.ClientPayloadError, "its answer broke off"),
        (aiohttp.ClientResponseError, "its answer is no HTTP"),
    )
    for kind, words in known:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return "it could not be reached"
