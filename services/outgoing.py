"""What our requests to the world outside share: names are looked up apart, and what went wrong is said in our words."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

AddressInfo = tuple[Any, ...]
GetAddressInfo = Callable[[str, int], Awaitable[Sequence[AddressInfo]]]


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


class Resolver(AbstractResolver):
    """Resolves a name for a connection by whoever is asked for it."""

    def __init__(self, ask: GetAddressInfo) -> None:
        self._ask = ask

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=port,
                family=address_family,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address_family, _, proto, _, address in await self._ask(host, port)
        ]

    async def close(self) -> None:
        pass


def told_of(error: BaseException, also: Sequence[tuple[type[BaseException], str]] = ()) -> str:
    """A sentence for what went wrong, and nothing that anybody else has said; kinds in `also` count first."""
    causes: list[BaseException] = []
    look: BaseException | None = error
    while look is not None and look not in causes:
        causes.append(look)
        look = look.__cause__ or getattr(look, "os_error", None) or look.__context__
    for kind, words in (*also, *KNOWN):
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return "it could not be reached"


KNOWN: tuple[tuple[type[BaseException], str], ...] = (
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
