"""What a witness answers over HTTP: C2SP tlog-witness, `POST /add-checkpoint`; and who asks too slowly is sent away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from services import clock
from services.local.problems import PortTaken
from services.local_problem import LocalProblem
from services.witness.refused import NotNow, Refused
from services.witness.witness import Witness

LARGEST_BODY = 1 << 17
"""Bytes of a request: a proof is at most 3 KiB, a checkpoint with all its signatures a few."""

READ_SECONDS = 10.0
"""How long a request may take to arrive, its head and its body each."""

ADD = "/add-checkpoint"

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def serving(witness: Witness, host: str, port: int, read_seconds: float = READ_SECONDS) -> AsyncIterator[str]:
    """Answer on an address, which is told with the port that it has; raises PortTaken."""
    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_post(ADD, Answering(witness, read_seconds).add)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=read_seconds, lingering_time=read_seconds)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise PortTaken(
                f"The witness cannot listen on {host}:{port} ({error.strerror}): choose another one by --listen."
            ) from None
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


class Answering:
    """Each request to a witness, and its answer."""

    def __init__(self, witness: Witness, read_seconds: float) -> None:
        self._witness, self._read_seconds = witness, read_seconds

    async def add(self, request: web.Request) -> web.Response:
        """A cosignature, or why not."""
        try:
            async with asyncio.timeout(self._read_seconds):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408, text="the request took too long to arrive\n")
        # what was begun is done to its end, even where whoever asked went away
        return await asyncio.shield(asyncio.to_thread(self._answer, body))

    def _answer(self, body: bytes) -> web.Response:
        try:
            line = self._witness.add(body, clock.now())
        except Refused as refused:
            _log.info("checkpoint_refused", status=refused.status, because=type(refused).__name__)
            return web.Response(status=refused.status, text=f"{refused}\n", content_type=refused.media_type)
        except LocalProblem as problem:  # of this machine, and nobody else's business
            _log.error("witness_cannot_answer", because=str(problem))
            return web.Response(status=NotNow.status, text="this witness cannot answer now\n")
        _log.info("checkpoint_cosigned")
        return web.Response(text=line)
