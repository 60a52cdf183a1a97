"""Sends one command until its answer is known, through whichever API answers, under one key."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import orjson

from tests.faults.cast import Person
from tests.faults.history import Command, History
from tests.faults.world import World

ANSWER_SECONDS = 8.0
"""Shorter than some freezes: then a second try is on its way while the first one still waits."""
AGAIN_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8)
KNOWN_WITHIN_SECONDS = 300.0


class Wrong(AssertionError):
    """An answer that no stack in order gives."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A known answer: it was accepted, with what was told, or refused, with the problem's number."""

    command: Command
    attempts: int
    accepted: bool
    told: Mapping[str, Any]
    etag: str | None = None

    @property
    def events(self) -> list[Mapping[str, Any]]:
        return list(self.told.get("events", ()))

    @property
    def problem(self) -> int | None:
        return self.told.get("number")


class Sending:
    """Numbers commands and writes down each try and its answer; where its `client` was closed it is given another."""

    def __init__(self, world: World, history: History, dice: random.Random, client: httpx.AsyncClient) -> None:
        self._world, self._history, self._dice, self.client = world, history, dice, client
        self._numbered = 0
        self.waiting: dict[int, Command] = {}

    def command(self, person: Person, path: str, body: Mapping[str, Any], if_match: str | None = None) -> Command:
        """A command that was not sent yet, under a key of its own."""
        self._numbered += 1
        key = str(UUID(int=self._dice.getrandbits(128)))
        who = str(self._world.people[person.name])
        return Command(self._numbered, who, person.role.value, path, key, body, if_match)

    async def send(self, person: Person, command: Command, first_attempt: int = 1) -> Answer:
        """Try until it is known, at the other API each time."""
        self.waiting[command.n] = command
        number, attempt = self._dice.choice((1, 2)), first_attempt
        try:
            async with asyncio.timeout(KNOWN_WITHIN_SECONDS):
                while True:
                    answer = await self._try(person, command, attempt, number)
                    if answer is not None:
                        del self.waiting[command.n]
                        return answer
                    await asyncio.sleep(AGAIN_SECONDS[min(attempt - first_attempt, len(AGAIN_SECONDS) - 1)])
                    number, attempt = 3 - number, attempt + 1
        except TimeoutError:
            raise Wrong(
                f"{command.path} (n {command.n}) is unknown after {attempt} tries in {KNOWN_WITHIN_SECONDS:g} s"
            ) from None

    async def _try(self, person: Person, command: Command, attempt: int, number: int) -> Answer | None:
        headers = {
            "Authorization": f"Bearer {self._world.token(person)}",
            "Idempotency-Key": command.key,
            "Content-Type": "application/json",
        }
        if command.if_match is not None:
            headers["If-Match"] = command.if_match
        self._history.sent(command, attempt)
        try:
            answer = await self.client.post(
                self._world.api(number) + command.path, content=orjson.dumps(command.body), headers=headers
            )
            told = answer.json()
        except (httpx.HTTPError, ValueError):
            self._history.answered(command, attempt, "unknown")
            return None
        if answer.status_code >= 500 or answer.status_code == 401:
            if answer.status_code == 401:  # the clock was set meanwhile
                self._world.forget_tokens()
            self._history.answered(command, attempt, "unknown", status=answer.status_code, problem=told.get("type"))
            return None
        if accepted := answer.status_code in (200, 201, 202):  # a check-in is held: it has no events yet
            self._history.answered(
                command,
                attempt,
                "accepted",
                status=answer.status_code,
                repeated=told["repeated"],
                events=told.get("events", ()),
                held_until=told.get("held_until"),
            )
        else:
            self._history.answered(command, attempt, "refused", status=answer.status_code, problem=told.get("type"))
        return Answer(command, attempt, accepted, told, answer.headers.get("ETag"))
