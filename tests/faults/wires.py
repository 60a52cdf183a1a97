"""Wires that a nemesis may cut: between the relays and Kafka, and between the processors and PostgreSQL.

Each listens on one port for as long as the session runs and forwards to wherever the server listens at that moment,
so that a server which comes back on another port is found again. `tests.faults.up` puts them in the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CHUNK = 65_536
COMMITTED, READY = b"C\x00\x00\x00\x0bCOMMIT\x00", b"Z\x00\x00\x00\x05"
"""What PostgreSQL answers when it has committed, and when it is ready again but for a last byte."""


@dataclass(eq=False)
class Link:
    """One connection of a client, and ours to the server where there is one."""

    client_reader: asyncio.StreamReader
    client: asyncio.StreamWriter
    server_reader: asyncio.StreamReader | None = None
    server: asyncio.StreamWriter | None = None
    silent: bool = False
    """Nothing that is sent over it arrives any more, and nobody is told."""

    def reset(self) -> None:
        """End both sides with a reset; what was on its way is lost."""
        for writer in (self.client, self.server):
            if writer is not None:
                with contextlib.suppress(OSError, AttributeError):
                    linger = struct.pack("ii", 1, 0)  # a close without it would end in order
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()


class Wire:
    """Forwards what it is given; `target` says at which port of 127.0.0.1 the server listens now, if it does."""

    def __init__(self, target: Callable[[], int | None]) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._swallows = False
        self.port = 0

    @property
    def links(self) -> int:
        """How many connections there are that are not silent."""
        return sum(not link.silent for link in self._links)

    # --- what may be done to it -------------------------------------------------------------------------------------

    def cut(self) -> int:
        """Reset every connection; returns how many. New ones are taken."""
        links = [link for link in self._links if not link.silent]
        for link in links:
            link.reset()
        return len(links)

    def hold(self) -> None:
        """Forward nothing, either way, until `heal`: then all of it arrives, however late."""
        self._flows.clear()

    def swallow(self) -> int:
        """From now until `heal` nothing arrives and nobody is told; connections that were there, or are made meanwhile,
        stay silent for ever. Returns how many there were."""
        self._swallows = True
        links = [link for link in self._links if not link.silent]
        for link in links:
            link.silent = True
        return len(links)

    def heal(self) -> None:
        """Forward again."""
        self._swallows = False
        self._flows.set()

    # --- within -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.heal()
        for link in list(self._links):
            link.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(Link(reader, writer, silent=self._swallows)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, link: Link) -> None:
        self._links.add(link)
        try:
            await self._flows.wait()
            if link.silent:
                await self._drop(link.client_reader)
                return
            if (port := self._target()) is None:
                return
            link.server_reader, link.server = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(link, link.client_reader, link.server, self.asks(link)))
                both.create_task(self._pump(link, link.server_reader, link.client, self.answers(link)))
        except* OSError:
            pass
        finally:
            self._links.discard(link)
            for writer in (link.client, link.server):
                if writer is not None:
                    writer.close()

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: Callable[[bytes], bytes]
    ) -> None:
        while data := await reader.read(CHUNK):
            await self._flows.wait()
            if link.silent:
                continue
            if arrives := passed(data):
                writer.write(arrives)
                await writer.drain()
        await self._flows.wait()
        if not link.silent:
            writer.close()

    async def _drop(self, reader: asyncio.StreamReader) -> None:
        while await reader.read(CHUNK):
            pass

    def asks(self, link: Link) -> Callable[[bytes], bytes]:
        """What of a piece is to go on to the server."""
        return lambda piece: piece

    def answers(self, link: Link) -> Callable[[bytes], bytes]:
        """What of a piece is to go on to the client."""
        return lambda piece: piece


class KafkaWire(Wire):
    """Kafka tells its clients where it listens: here they are told where the wire does, or they would go around it."""

    def answers(self, link: Link) -> Callable[[bytes], bytes]:
        held = bytearray()

        def passed(piece: bytes) -> bytes:
            held.extend(piece)
            whole = 0
            while len(held) >= whole + 4:
                end = whole + 4 + int.from_bytes(held[whole : whole + 4], "big")
                if len(held) < end:
                    break
                whole = end
            answers = bytes(held[:whole])
            del held[:whole]
            assert link.server is not None
            port = link.server.get_extra_info("peername")[1]
            # a host is written as its bytes and its port in four, in each answer that names one
            return answers.replace(_place(port), _place(self.port))

        return passed


def _place(port: int) -> bytes:
    return b"127.0.0.1" + port.to_bytes(4, "big")


@dataclass(eq=False)
class Losing:
    """A commit whose answer is to be lost, or which is to be lost itself before the server has it."""

    done_by_the_server: bool
    appends: bool
    """Only one that also appended to the ledger."""
    happened: asyncio.Event = field(default_factory=asyncio.Event)


class PostgresWire(Wire):
    """Knows enough of PostgreSQL's protocol to see a transaction that wrote, and its COMMIT."""

    def __init__(self, target: Callable[[], int | None]) -> None:
        super().__init__(target)
        self._losing: Losing | None = None
        self._doomed: dict[Link, Losing] = {}

    def lose(self, losing: Losing | None) -> None:
        """Cut the connection of the next commit that is as wanted, just before or just after the server does it."""
        self._losing = losing

    def asks(self, link: Link) -> Callable[[bytes], bytes]:
        held = bytearray()
        begun = False
        writes = appends = False
        appending: set[bytes] = set()

        def passed(piece: bytes) -> bytes:
            nonlocal begun, writes, appends
            held.extend(piece)
            arrives = b""
            # the first message has no letter before its length
            while len(held) >= (head := 5 if begun else 4):
                end = int.from_bytes(held[head - 4 : head], "big") + head - 4
                if len(held) < end:
                    break
                kind, body = bytes(held[: head - 4]), bytes(held[head:end])
                message = bytes(held[:end])
                del held[:end]
                begun = True
                if kind == b"P":
                    name, text, *_ = body.split(b"\x00")
                    (appending.add if b"ledger.append" in text else appending.discard)(name)
                elif kind == b"B":
                    appends = appends or body.split(b"\x00", 2)[1] in appending
                elif kind == b"Q" and body.startswith(b"BEGIN"):
                    writes, appends = body == b"BEGIN;\x00", False
                elif kind == b"Q" and body.startswith(b"COMMIT"):
                    losing = self._losing
                    if losing is not None and writes and (appends or not losing.appends):
                        self._losing = None
                        if not losing.done_by_the_server:
                            link.reset()
                            losing.happened.set()
                            return arrives
                        self._doomed[link] = losing
                arrives += message
            return arrives

        return passed

    def answers(self, link: Link) -> Callable[[bytes], bytes]:
        held = bytearray()

        def passed(piece: bytes) -> bytes:
            if (losing := self._doomed.get(link)) is None:
                return piece
            held.extend(piece)
            if COMMITTED in held and held[-6:-1] == READY:
                del self._doomed[link]
                link.reset()
                losing.happened.set()
            return b""

        return passed


@asynccontextmanager
async def opened(*wires: Wire) -> AsyncIterator[None]:
    """The wires, for as long as the block runs."""
    for wire in wires:
        await wire.open()
    try:
        yield
    finally:
        for wire in wires:
            await wire.close()
