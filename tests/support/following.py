"""Following the stream of alerts, as a client does; or sitting there and taking nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import orjson

from events.alert import AlertIssued
from events.envelope import Draft, event_id, named_id
from events.vocabulary import Actor, Role
from services.ledger.ledger import Append, Entry, Ledger, Submission
from tests.support.ledgers import HOME, an_alert

PATH = "/v1/alerts/stream"


async def tell(ledger: Ledger, count: int, unit: str) -> list[int]:
    """Append so many alerts of one new unit in one command, as an engine would; their positions."""
    first = an_alert(unit)
    told = AlertIssued.model_validate_json(_data_of(first.appends[0].entries[0].body))
    entries = []
    for version in range(1, count + 1):
        draft = Draft(
            event_id=event_id(first.command_id, 0) if version == 1 else named_id(first.command_id, str(version)),
            source="urn:intabaza:test",
            stream=f"alert/{unit}",
            version=version,
            home=HOME,
            data=told,
            command_id=first.command_id,
            command_mac=first.command_mac,
            actor=Actor(role=Role.SYSTEM, ref=first.command_id),
            engine=1,
        )
        entries.append(Entry(draft.event_id, AlertIssued.name, draft.body()))
    append = Append(f"alert/{unit}", 0, HOME, tuple(entries))
    accepted = await ledger.append(Submission(first.command_id, first.command_mac, (append,)))
    return [one.position for one in accepted.placed]


def _data_of(body: bytes) -> bytes:
    return orjson.dumps(orjson.loads(body)["data"])


class Following:
    """One open stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()
        self.signs_of_life = 0
        self.last_id: int | None = None

    async def next(self) -> int | None:
        """The id of the next alert; None where the stream has ended in good order."""
        async for line in self._lines:
            self._note(line)
            if line.startswith("event: "):
                return self.last_id
        return None

    def _note(self, line: str) -> None:
        if line.startswith("id: "):
            self.last_id = int(line.removeprefix("id: "))
        self.signs_of_life += line.startswith(":")

    async def until(self, last: int, seconds: float = 60) -> list[int]:
        """The ids of everything up to this one."""
        heard: list[int] = []
        async with asyncio.timeout(seconds):
            while not heard or heard[-1] < last:
                one = await self.next()
                assert one is not None, f"the stream ended after {heard[-1:]}"
                heard.append(one)
        return heard

    async def rest(self, seconds: float = 60) -> list[int]:
        """The ids of everything until the stream ends, in whatever way."""
        heard: list[int] = []
        async with asyncio.timeout(seconds):
            try:
                while (one := await self.next()) is not None:
                    heard.append(one)
            except httpx.TransportError:
                pass
        return heard

    async def signs(self, count: int, seconds: float = 60) -> None:
        """Take so many signs of life, and no alert."""
        until = self.signs_of_life + count
        async with asyncio.timeout(seconds):
            async for line in self._lines:
                assert not line.startswith("event: "), "an alert came"
                self._note(line)
                if self.signs_of_life >= until:
                    return
        raise AssertionError("the stream ended")


@asynccontextmanager
async def follow(
    client: httpx.AsyncClient, who: Mapping[str, str], *, after: int | None = None, last: int | None = None
) -> AsyncIterator[Following]:
    """Open a stream: from now on, after a position (`after`), or where one was cut off (`last`)."""
    headers = dict(who) | ({"Last-Event-ID": str(last)} if last is not None else {})
    params = {"after": after} if after is not None else {}
    async with client.stream("GET", PATH, params=params, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Following(answer)


def sit(port: int, who: Mapping[str, str], after: int = 0) -> socket.socket:
    """Open a stream and take nothing of it: the smallest buffer here, nobody who reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.connect(("127.0.0.1", port))
    lines = [f"GET {PATH}?after={after} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {one}" for name, one in who.items())]
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    return client
