"""A wire to Postgres that a test may cut, or hold in either direction, at a moment of its choosing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit


class LossyWire:
    """Forwards one unix socket to another. `requests` and `answers` are open when set."""

    def __init__(self, server_socket: Path, own_socket: Path) -> None:
        self._server_socket = server_socket
        self._own_socket = own_socket
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests = asyncio.Event()
        self.answers = asyncio.Event()
        self.held = asyncio.Event()
        """Set when something came that is being held back."""
        self.seen: Callable[[bytes], None] = lambda request: None
        """Told of every request before it is forwarded; it may hold it, or what will be answered."""
        self.requests.set()
        self.answers.set()

    async def listen(self) -> None:
        self._server = await asyncio.start_unix_server(self._connected, self._own_socket)

    def deaf(self) -> None:
        """Take no new connections."""
        assert self._server is not None
        self._server.close()
        self._own_socket.unlink(missing_ok=True)

    def cut(self) -> None:
        """Break every connection; what is held is lost."""
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()

    def hold(self, direction: asyncio.Event) -> None:
        self.held.clear()
        direction.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(self._server_socket)
        self._writers |= {writer, server_writer}
        for source, sink, gate in ((reader, server_writer, self.requests), (server_reader, writer, self.answers)):
            task = asyncio.create_task(self._forward(source, sink, gate))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if gate is self.requests:
                    self.seen(data)
                if not gate.is_set():
                    self.held.set()
                    await gate.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def lossy_wire(dsn: str) -> AsyncIterator[tuple[LossyWire, str]]:
    """A wire to the server of a unix-socket DSN, and the DSN that goes over it."""
    where = urlsplit(dsn)
    query = parse_qs(where.query)
    socket_name = f".s.PGSQL.{query['port'][0]}"
    with TemporaryDirectory(prefix="wire-") as folder:
        wire = LossyWire(Path(query["host"][0]) / socket_name, Path(folder) / socket_name)
        await wire.listen()
        try:
            yield wire, urlunsplit(where._replace(query=urlencode({"host": folder, "port": query["port"][0]})))
        finally:
            wire.deaf()
            wire.cut()
            await asyncio.gather(*wire._tasks, return_exceptions=True)
