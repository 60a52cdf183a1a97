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
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from services import clock
from services.notifier.notice import Notice
from services.notifier.retrying import retry_after
from services.subscribers.addresses import AddressRefused, Reachable, is_public
from services.subscribers.secrets import NothingSigns, Signer, signatures

CONTENT_TYPE = "application/cloudevents+json"
BATCH_TYPE = "application/cloudevents-batch+json"
USER_AGENT = "Intabaza-Notifier/1"

MOST_READ_BYTES = 16_384
READ_SECONDS = 1.0
"""How much of an answer is read, and for how long, so that its connection can be used again; else it is closed."""

KEEP_ALIVE_SECONDS = 3.0
"""Less than the five seconds after which many servers close: a webhook on a connection that just ended is lost."""

GONE = 410
UNSIGNED = "nothing was sent: its secret opens under another master key only; give it a new one"

AddressInfo = tuple[Any, ...]
GetAddressInfo = Callable[[str, int], Awaitable[Sequence[AddressInfo]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try. `asked` are the seconds after which the receiver wants the next; `gone` wants none;
    `public` is one at an address of the internet."""

    status: int | None
    error: str | None
    seconds: float
    asked: float | None = None
    public: bool = False

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
        self._public: dict[str, bool] = {}

    def is_public(self, host: str) -> bool:
        """Whether a host, which may be an address, led only to addresses of the internet when it was resolved last."""
        try:
            return is_public(ip_address(host))
        except ValueError:
            return self._public.get(host, False)

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
        self._public[host] = all(is_public(ip_address(one["host"])) for one in found)
        return found

    async def close(self) -> None:
        pass


class Sender:
    """Sends for all subscribers; it belongs to one event loop, in which `open` makes it."""

    def __init__(self, session: aiohttp.ClientSession, names: GetAddressInfo, resolver: CheckedResolver) -> None:
        self._session = session
        self._resolver = resolver
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

        resolver = CheckedResolver(reachable, names)
        connector = aiohttp.TCPConnector(
            resolver=resolver,
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
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )
        return cls(session, names, resolver)

    async def close(self) -> None:
        await self._session.close()

    async def send(
        self, url: str, signers: list[Signer], notice: Notice, answered: Callable[[], None] = lambda: None
    ) -> Answer:
        """Try once; it takes no longer than the timeout, and raises nothing. Where nothing signs, nothing is sent.

        `answered` is called as soon as the receiver's answer is known.
        """
        now = clock.now()
        message_id, body = str(notice.message_id), notice.body
        try:
            signed = signatures(signers, message_id, now, body)
        except NothingSigns:
            return Answer(None, UNSIGNED, 0.0)
        headers = {
            "Content-Type": BATCH_TYPE if notice.is_batch else CONTENT_TYPE,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signed,
        }
        began = asyncio.get_running_loop().time()

        def took() -> float:
            return asyncio.get_running_loop().time() - began

        try:
            to = URL(url, encoded=True)
            async with self._session.post(to, data=body, headers=headers, allow_redirects=False) as response:
                answered()
                asked = retry_after(response.headers.get("Retry-After"), now)
                public = self._resolver.is_public(to.raw_host or "")
                answer = Answer(response.status, _told_by(response.status), took(), asked, public)
                await _read_a_little(response)
                return answer
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            return Answer(None, _told_of(error), took())


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
