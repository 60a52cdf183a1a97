"""The HTTP client of everybody in the play: sends commands, remembers what was acknowledged, and asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import aiohttp
import orjson

from services import clock
from services.api.tokens import Bearer, TokenIssuer
from services.area import Area
from services.demo.acts import Act, Made
from services.demo.cast import Player

LIFE = timedelta(hours=6)
TRIES = 6
ANSWER_SECONDS = 60
AGAIN_SECONDS = 0.2
LOOK_SECONDS = 0.05
MEANWHILE = frozenset({502, 503, 504})
"""Answers after which the same is sent again, under the same id."""


class NoAnswer(Exception):
    """The API did not answer, again and again; the message says to what."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A command that was accepted, and its events as the answer named them: id and position."""

    name: str
    events: Sequence[tuple[UUID, int]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that was refused, and why."""

    name: str
    operation: str
    status: int
    detail: str

    def __str__(self) -> str:
        return f"{self.name} ({self.operation}): {self.status}, {self.detail}"


@dataclass
class Door:
    """One client session; it belongs to one event loop."""

    address: str
    issuer: TokenIssuer
    session: aiohttp.ClientSession
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """How long each command took until it was acknowledged."""
    made: dict[Made, str] = field(default_factory=dict)
    _tokens: dict[Player, str] = field(default_factory=dict)

    async def send(self, act: Act) -> int | None:
        """Do an act; returns the position of its last event, None where it was refused. Raises NoAnswer."""
        address = "".join(self.made[part] if isinstance(part, Made) else part for part in act.address)
        headers = self.headers_of(act.who) | {"Content-Type": "application/json", "Idempotency-Key": act.name}
        body = orjson.dumps(self._filled(act.body))
        began = time.perf_counter()
        status, told = await self._until_answered("POST", address, headers, body)
        if status >= 400:
            errors = "; ".join(f"{one['field']}: expected {one['expected']}" for one in told.get("errors", ()))
            self.refused.append(Refusal(act.name, act.operation, status, errors or str(told.get("detail"))))
            return None
        self.seconds.append(time.perf_counter() - began)
        events = [(UUID(one["id"]), int(one["position"])) for one in told["events"]]
        self.acknowledged.append(Acknowledged(act.name, events))
        if act.makes is not None:
            self.made[act.makes] = told[f"{act.makes.what}_id"]
        return int(told["position"])

    async def ask(self, who: Player, address: str, **parameters: str) -> dict[str, Any]:
        """One read; raises NoAnswer for anything but an answer."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        full = f"{address}?{query}" if query else address
        status, told = await self._until_answered("GET", full, self.headers_of(who), None)
        if status >= 400:
            raise NoAnswer(f"GET {address} answers {status}: {told.get('detail')}")
        return told

    async def all_of(self, who: Player, address: str, rows: str, **parameters: str) -> list[dict[str, Any]]:
        """Every page of a list."""
        query = "&".join(f"{name}={value}" for name, value in ({"limit": "200"} | parameters).items())
        following: str | None = f"{address}?{query}"
        found: list[dict[str, Any]] = []
        while following is not None:
            async with self.session.get(following, headers=self.headers_of(who)) as response:
                told = orjson.loads(await response.read())
                if response.status >= 400:
                    raise NoAnswer(f"GET {address} answers {response.status}: {told.get('detail')}")
                found += told[rows]
                link = response.headers.get("Link", "")
                following = link[1 : link.index(">")] if link else None
        return found

    async def until_ready(self, seconds: float, say: Callable[[str], None] = lambda line: None) -> None:
        """Wait until commands and reads would be served, saying what is waited for whenever that changes.

        Raises NoAnswer with what is not ready by then.
        """
        deadline, said = time.monotonic() + seconds, ""
        while True:
            try:
                async with self.session.get("/readyz") as response:
                    told = orjson.loads(await response.read())
                    if response.status == 200:
                        return
                why = "; ".join(f"{name}: {said}" for name, said in told.get("not_ready", {}).items())
            except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
                why = str(error) or type(error).__name__
            if time.monotonic() > deadline:
                raise NoAnswer(f"The API is not ready after {seconds:.0f} seconds: {why}.")
            if why != said:
                say(f"Waiting until the API is ready, {seconds:.0f} seconds at most: {why}")
                said = why
            await asyncio.sleep(LOOK_SECONDS)

    async def _until_answered(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, Any]]:
        why = ""
        for _ in range(TRIES):
            try:
                async with self.session.request(method, address, data=body, headers=headers) as response:
                    told = orjson.loads(await response.read())
                    if response.status not in MEANWHILE:
                        return response.status, told
                    why = f"{response.status}: {told.get('detail')}"
            except (aiohttp.ClientError, TimeoutError) as error:
                why = str(error) or type(error).__name__
            await asyncio.sleep(AGAIN_SECONDS)
        raise NoAnswer(f"{method} {address} was not answered in {TRIES} tries; the last time: {why}")

    def headers_of(self, who: Player) -> dict[str, str]:
        if who not in self._tokens:
            area = Area(None if who.units is None else frozenset(who.units))
            bearer = Bearer(who.person_id, who.role, area, who.recipient)
            self._tokens[who] = self.issuer.issue(bearer, clock.now(), LIFE)
        return {"Authorization": f"Bearer {self._tokens[who]}"}

    def _filled(self, value: Any) -> Any:
        """A body with the ids of what earlier acts made, and of people."""
        if isinstance(value, Made):
            return self.made[value]
        if isinstance(value, Player):
            return str(value.person_id)
        if isinstance(value, Mapping):
            return {name: self._filled(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._filled(part) for part in value]
        return value


@asynccontextmanager
async def open_door(address: str, issuer: TokenIssuer) -> AsyncIterator[Door]:
    """A client of the API at this address, until the end of the block."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(
        base_url=address, timeout=timeout, connector=aiohttp.TCPConnector(limit=64)
    ) as session:
        yield Door(address, issuer, session)
