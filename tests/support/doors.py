"""The API on a real stack: its own process, the people who call it, and what they send."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from events.vocabulary import Role
from services import clock
from services.api.tokens import Bearer, TokenIssuer
from services.area import Area
from services.local.ports import free_port
from services.settings import child_environment
from services.wiring import open_desk
from tests.support.documented import check
from tests.support.stack import Stack, a_stack

PHONES = {
    name: f"+2577900{number:04}"
    for number, name in enumerate(
        ("aline", "bede", "chantal", "deo", "esther", "fabien", "gloria", "hilaire", "odile", "admin"), 1
    )
}


@dataclass(frozen=True)
class Caller:
    """Somebody who calls: who, in which role, for which units (None: everywhere), for a recipient which one it is."""

    name: str
    role: Role
    units: tuple[str, ...] | None = None
    recipient: str | None = None


ALINE = Caller("aline", Role.REPORTER)
GLORIA = Caller("gloria", Role.REPORTER)
BEDE = Caller("bede", Role.REVIEWER)
CHANTAL = Caller("chantal", Role.REVIEWER)
DEO = Caller("deo", Role.REVIEWER)
ESTHER = Caller("esther", Role.REVIEWER)
FABIEN = Caller("fabien", Role.COORDINATOR)
ODILE = Caller("odile", Role.REFERRAL_OFFICER)
SECOND_OFFICER = Caller("fabien", Role.REFERRAL_OFFICER)
HILAIRE = Caller("hilaire", Role.RECIPIENT, recipient="community-police-gihanga")
ADMIN = Caller("admin", Role.ADMIN)
ANALYST = Caller("gloria", Role.ANALYST)
AUDITOR = Caller("gloria", Role.AUDITOR)
CUSTODIAN = Caller("gloria", Role.CUSTODIAN)
CONSUMER = Caller("gloria", Role.CONSUMER)

COMMITTEE = (BEDE, CHANTAL, DEO, ESTHER)


@dataclass
class Doors:
    """The API of one stack; a request is sent by a Caller, or by nobody who is known.

    An answer that the published description of the API does not have fails whatever test was given it.
    """

    stack: Stack
    process: subprocess.Popen[bytes]
    client: httpx.AsyncClient
    people: Mapping[str, UUID]
    _tokens: dict[Caller, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return str(self.client.base_url)

    def token(self, caller: Caller, life: timedelta = timedelta(hours=1)) -> str:
        """A new token that our own key signs."""
        issuer = TokenIssuer.of(self.stack.settings)
        area = Area(None if caller.units is None else frozenset(caller.units))
        return issuer.issue(Bearer(self.people[caller.name], caller.role, area, caller.recipient), clock.now(), life)

    def authorization(self, caller: Caller | None) -> dict[str, str]:
        """The header that says who somebody is."""
        if caller is None:
            return {}
        if caller not in self._tokens:
            self._tokens[caller] = self.token(caller)
        return {"Authorization": f"Bearer {self._tokens[caller]}"}

    async def post(
        self,
        caller: Caller | None,
        path: str,
        body: Mapping[str, Any] | bytes,
        *,
        key: str | None = "",
        headers: Mapping[str, str] | None = None,
        **params: Any,
    ) -> httpx.Response:
        """Send a command, under a new Idempotency-Key unless told which, None for none."""
        sent = self.authorization(caller) | {"Content-Type": "application/json"}
        if key is not None:
            sent["Idempotency-Key"] = key or str(uuid4())
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return await self.client.post(path, params=params, headers=sent | dict(headers or {}), **content)

    async def get(self, caller: Caller | None, path: str, *, headers: Any = None, **params: Any) -> httpx.Response:
        """Ask for something."""
        return await self.client.get(path, params=params, headers=self.authorization(caller) | dict(headers or {}))

    async def until_alerts(
        self, unit: str | None = None, such: Callable[[list[dict[str, Any]]], bool] = bool
    ) -> list[dict[str, Any]]:
        """The alerts that are listed, of a unit or of all: once there is one, and they are such."""
        where = {} if unit is None else {"unit": unit}
        async with asyncio.timeout(60):
            while True:
                alerts: list[dict[str, Any]] = (await self.get(CONSUMER, "/v1/alerts", limit="200", **where)).json()[
                    "alerts"
                ]
                if alerts and such(alerts):
                    return alerts
                await asyncio.sleep(0.05)

    async def until_ready(self, page: str = "/readyz", seconds: float = 180) -> None:
        """Wait until the API says so."""
        deadline = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, self.log
            try:
                if (await self.client.get(page)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, self.log
            await asyncio.sleep(0.05)

    @property
    def log(self) -> str:
        """Everything that the API has logged."""
        return (self.stack.folder / "api.log").read_text()


@asynccontextmanager
async def open_doors(*, begun: bool = True, **extra: str) -> AsyncIterator[Doors]:
    """A stack with a network that has begun under the division of 2015, a committee, and the API as one process.

    `begun=False` leaves it to the caller to adopt a gazetteer and rules. `extra` goes into the environment of all of
    it; without a word about it nobody is too quick. What the API logs is in the stack's folder, as api.log.
    """
    patient = {"INTABAZA_API_REQUESTS_PER_SECOND": "0", "INTABAZA_API_STREAMS_PER_PERSON": "0"}
    with a_stack(**patient | extra) as stack:
        await asyncio.to_thread(stack.up)
        if begun:
            began = await asyncio.to_thread(stack.command, "begin", "--division", "2015")
            assert began.returncode == 0, began.stderr
        people = await known_people(stack)
        async with open_api(stack, people, ready="/readyz" if begun else "/healthz") as doors:
            yield doors


@asynccontextmanager
async def open_api(stack: Stack, people: Mapping[str, UUID], ready: str = "/readyz") -> AsyncIterator[Doors]:
    """One API process on a stack that is up, until the end."""
    port = free_port()
    process = _start(stack, port)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=60, event_hooks={"response": [check]}
        ) as client:
            doors = Doors(stack, process, client, people)
            await doors.until_ready(ready)
            yield doors
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


def _start(stack: Stack, port: int) -> subprocess.Popen[bytes]:
    environment = child_environment(stack.settings) | dict(stack.extra) | {"INTABAZA_API_PORT": str(port)}
    with (stack.folder / "api.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "services.api"], env=environment, stdout=log, stderr=log)


async def known_people(stack: Stack) -> dict[str, UUID]:
    """Everybody of PHONES by their id in the vault; the reviewers have a seat in the committee."""
    async with open_desk(stack.settings) as desk:
        people = {name: await desk.persons.person_by_phone(phone) for name, phone in PHONES.items()}
        for member in COMMITTEE:
            await desk.persons.seat(people[member.name], sits=True)
    return people
