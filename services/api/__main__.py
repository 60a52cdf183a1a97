"""`python -m services.api`: one API process, until SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import FrameType

import structlog
import uvicorn

from services.api.app import make_app
from services.api.office import Office
from services.api.problems import Refused
from services.api.tokens import TokenKeysRefused
from services.bulletins.shapes import BoundariesRefused
from services.bulletins.signing import SigningRefused
from services.ledger.ledger import LedgerError
from services.local.addresses import find_addresses
from services.local_problem import LocalProblem
from services.settings import Settings, SettingsRefused, read_settings
from services.telemetry import log_as_json
from services.vault.refused import VaultError
from services.wiring import open_office

END_SECONDS = 3
"""How long requests on their way may take when it ends; streams are ended at once."""

GARBAGE = (20_000, 20, 20)
"""After how many new objects garbage is looked for: a report makes some hundreds, nearly none of them in circles."""

PROBLEMS = (
    LocalProblem,
    SettingsRefused,
    SigningRefused,
    BoundariesRefused,
    TokenKeysRefused,
    LedgerError,
    VaultError,
    Refused,
)


class Server(uvicorn.Server):
    """Sends those who follow a stream home as soon as it is asked to end, else they would keep it from ending."""

    def __init__(self, settings: Settings) -> None:
        self.problem: Exception | None = None
        """Why it could not begin."""
        self._settings = settings
        self._office: Office | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        super().__init__(
            uvicorn.Config(
                make_app(self._open),
                host=settings.api_host,
                port=settings.api_port,
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=END_SECONDS,
            )
        )

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Office]:
        async with AsyncExitStack() as opened:
            try:
                office = await opened.enter_async_context(open_office(self._settings))
            except PROBLEMS as problem:
                self.problem = problem
                raise
            # What is here now stays: looking through it for garbage again and again was a part of every report.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GARBAGE)
            self._office, self._loop = office, asyncio.get_running_loop()
            yield office

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called between two instructions of the main thread, so the loop is told from outside."""
        if self._office is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._office.feed.end)
        super().handle_exit(sig, frame)


def main() -> None:
    """Serve until SIGTERM."""
    try:
        settings = read_settings()
        find_addresses(settings)
    except (LocalProblem, SettingsRefused) as problem:
        sys.exit(str(problem))
    log_as_json()
    server = Server(settings)
    try:
        server.run()
    except SystemExit:  # which uvicorn raises where its application does not begin
        if server.problem is not None:
            sys.exit(str(server.problem))
        raise
    structlog.get_logger("services.api").info("api_ends")


if __name__ == "__main__":
    main()
