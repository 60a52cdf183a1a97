"""The API as a process of its own on a run's database, asked by an auditor over one connection."""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil

from events.vocabulary import Role
from services import clock
from services.api.tokens import Bearer, TokenIssuer
from services.area import EVERYWHERE
from services.local.ports import answers, free_port
from services.settings import PREFIX, Settings
from tests.benchmarks.processes import end, start
from tests.benchmarks.servers import Database

NOT_YET = 503
PATIENCE_SECONDS = 1_800


@dataclass(frozen=True)
class Api:
    """Somebody who may ask it, and its process."""

    client: httpx.AsyncClient
    process: psutil.Process

    async def ask(self, path: str, params: Mapping[str, Any]) -> None:
        """Ask until it is answered: who asks too early is told to come again."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (answer := await self.client.get(path, params=params)).status_code == NOT_YET:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
        assert answer.status_code == 200, answer.text

    def resident(self) -> tuple[int, int]:
        """What the API holds now, and what the processes beside it do that fold for it."""
        beside = 0
        for child in self.process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                beside += child.memory_info().rss
        return self.process.memory_info().rss, beside


@asynccontextmanager
async def api(database: Database) -> AsyncIterator[Api]:
    """Start it, and end it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, port = Path(name), free_port()
        key = folder / "master.key"
        key.write_text(secrets.token_urlsafe(32))
        key.chmod(0o600)
        environment = database.environment(folder) | {
            "INTABAZA_VAULT_MASTER_KEY_FILE": str(key),
            "INTABAZA_API_PORT": str(port),
            "INTABAZA_API_REQUESTS_PER_SECOND": "0",
        }
        ours = {
            name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)
        }
        issuer = TokenIssuer.find_or_make(Settings.model_validate(ours).token_keys)
        token = issuer.issue(Bearer(uuid4(), Role.AUDITOR, EVERYWHERE), clock.now(), timedelta(hours=12))
        process = start([sys.executable, "-m", "services.api"], folder / "log", environment)
        try:
            async with asyncio.timeout(120):
                while not answers(port):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.1)
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
                yield Api(client, psutil.Process(process.pid))
        finally:
            end([process])
