"""One try: a signed POST to an address that was checked as it was connected to; what came of it in our own words.

Nothing that a receiver says is kept but its status: a body or a header may hold anything.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import aiohttp
from aiohttp.abc import ResolveResult
from yarl import URL

from services import clock
from services.notifier.notice import Notice
from services.notifier.retrying import retry_after
from services.outgoing import AddressInfo, GetAddressInfo, Resolver, SystemNames, told_of
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

LEADS_ELSEWHERE = ((AddressRefused, "its name leads to an address that nothing may be sent to"),)


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


class CheckedResolver(Resolver):
    """Resolves a name once for a connection, and refuses it unless every address of it is allowed."""

    def __init__(self, reachable: Reachable, ask: GetAddressInfo) -> None:
        super().__init__(ask)
        self._reachable = reachable
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
        found = await super().resolve(host, port, family)
        for one in found:
            self._reachable.refuse_address(one["host"], port)
        self._public[host] = all(is_public(ip_address(one["host"])) for one in found)
        return found


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
            return Answer(None, told_of(error, LEADS_ELSEWHERE), took())


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
