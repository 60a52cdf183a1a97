"""How many answers that did not come are awaited still, for Prometheus: by what is awaited and how far it climbed.

Told by processors, on the loopback alone: the page of the API asks nobody who they are. Each counts the whole country,
so among several the same is told, not a part of it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import NoReturn

import asyncpg
import structlog
from prometheus_client import CollectorRegistry, Gauge

from projections.referral_board.table import SQL
from services.processors.errors import named

COUNT_SECONDS = 10.0
ANSWER_SECONDS = 10.0

_log = structlog.get_logger(__name__)


class OpenGaps:
    """The gauge `intabaza_open_gaps`; without a sample for what there is none of, or while nobody can count."""

    def __init__(self, dsn: str, registry: CollectorRegistry) -> None:
        self._dsn = dsn
        self._gauge = Gauge(
            "intabaza_open_gaps",
            "Answers that did not come in time and are awaited still, in the whole country",
            ("awaited", "rung"),
            registry=registry,
        )

    def begin(self) -> None:
        """Count from now on, in a thread of its own: Faust's loop waits for nobody."""
        threading.Thread(target=lambda: asyncio.run(self._count_on()), name="open gaps", daemon=True).start()

    def show(self, counted: Iterable[tuple[str, int, int]]) -> None:
        """Tell these numbers, of (what is awaited, rung), and no others."""
        self._gauge.clear()
        for awaited, rung, gaps in counted:
            self._gauge.labels(awaited, str(rung)).set(gaps)

    async def _count_on(self) -> NoReturn:
        failed = False
        while True:
            try:
                self.show(await self._counted())
                failed = False
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self.show(())
                if not failed:  # once, however long it lasts
                    _log.warning("open gaps are not counted", because=named(error))
                failed = True
            await asyncio.sleep(COUNT_SECONDS)

    async def _counted(self) -> list[tuple[str, int, int]]:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=ANSWER_SECONDS,
            command_timeout=ANSWER_SECONDS,
            server_settings={"search_path": "referral_board", "application_name": "intabaza open gaps"},
        )
        try:
            return [tuple(row) for row in await connection.fetch(SQL["open_gaps"])]
        except asyncpg.UndefinedTableError:  # not made yet
            return []
        finally:
            await connection.close()
