"""The network at work, over HTTP: each of the cast does one thing after the other, all at once, until told to stop.

Much of what they try is refused, as in life: two officers decide about one case at the same moment, a report is graded
that was withdrawn meanwhile. What was accepted is asked for again now and then, and the same key is used for something
else, which has to be refused.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from services.api.examples import EXAMPLES
from tests.faults import acts, alerts
from tests.faults.cast import ADMIN, COMMITTEE, COORDINATORS, OFFICERS, RECIPIENTS, REPORTERS, Person
from tests.faults.history import Command, History
from tests.faults.known import Known, Silence
from tests.faults.sending import ANSWER_SECONDS, Answer, Sending, Wrong
from tests.faults.world import SQL, World

PAUSE_SECONDS = 0.25
"""Between two acts of one person: a steady load, not as much as the machine can do."""
REUSED = 3004

_CAST = (*REPORTERS, *COMMITTEE, *COORDINATORS, *OFFICERS, *RECIPIENTS)


class Generator:
    """The load on one world; `running` goes on until its block ends and everything that was sent is known."""

    def __init__(self, world: World, history: History, dice: random.Random) -> None:
        self.world, self.history, self.dice = world, history, dice
        self.known = Known({person.name: str(world.people[person.name]) for person in _CAST})
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._sending: Sending | None = None

    async def prepare(self) -> None:
        """Whom things are referred to is registered before anything is told."""
        for changes in acts.RECIPIENTS:
            body = {**EXAMPLES["reference.register-recipient"], **changes}
            path, key = "/v1/reference/register-recipient", f"register {changes['recipient']}"
            await self.world.post(ADMIN, path, body, key)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everybody acts for as long as the block runs."""
        async with self._client() as client:
            self._sending = Sending(self.world, self.history, self.dice, client)
            self._tasks = [asyncio.create_task(self._work(person)) for person in _CAST]
            try:
                yield
            finally:
                self._stop.set()
                ended = await asyncio.gather(*self._tasks, return_exceptions=True)
            for one in ended:
                if isinstance(one, BaseException):
                    raise one

    async def end_what_keeps_back(self) -> None:
        """Once all has come through: somebody ends each silence that stands and each override."""
        somebody = COMMITTEE[0]
        async with self._client() as client:
            assert self._sending is not None
            self._sending.client = client
            for row in await self.world.rows(SQL["silences"]):
                await alerts.end_this_silence(self, somebody, Silence(row["silence_id"], row["unit"]))
            for unit in sorted(self.known.overridden):
                await alerts.end_this_override(self, somebody, unit)

    @staticmethod
    def _client() -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=len(_CAST) * 3)
        return httpx.AsyncClient(timeout=ANSWER_SECONDS, limits=limits)

    def refuse_failure(self) -> None:
        """Raise what somebody of the cast ran into."""
        for task in self._tasks:
            if task.done() and (error := task.exception()) is not None:
                raise error

    def refuse_unknown(self) -> None:
        """At the end every answer is known."""
        assert self._sending is not None
        assert not self._sending.waiting, f"still unknown: {sorted(self._sending.waiting)}"

    async def _work(self, person: Person) -> None:
        mine = acts.OF[person.role]
        while not self._stop.is_set():
            act = self.dice.choices([one for one, _ in mine], [weight for _, weight in mine])[0]
            await act(self, person)
            try:
                await asyncio.wait_for(self._stop.wait(), PAUSE_SECONDS * self.dice.uniform(0.2, 1.8))
            except TimeoutError:
                continue

    # --- what acts are made of --------------------------------------------------------------------------------------

    async def do(self, person: Person, path: str, body: Mapping[str, Any], *, if_match: str | None = None) -> Answer:
        """Send a new command; sometimes once more when it is known, and its key for something else."""
        assert self._sending is not None
        command = self._sending.command(person, path, body, if_match)
        answer = await self._sending.send(person, command)
        if answer.accepted and self.dice.random() < 0.05:
            await self._again(person, answer)
        if answer.accepted and self.dice.random() < 0.03:
            await self._something_else(person, command)
        return answer

    async def example(self, person: Person, operation: str, path: str, /, **changes: Any) -> Answer:
        """A command's published example with these fields changed; None leaves one out."""
        if_match = changes.pop("if_match", None)
        body = {name: value for name, value in {**EXAMPLES[operation], **changes}.items() if value is not None}
        return await self.do(person, path, body, if_match=if_match)

    async def both(self, *acts: Callable[[], Awaitable[object]]) -> None:
        """Several at the same moment."""
        await asyncio.gather(*(one() for one in acts))

    async def _again(self, person: Person, first: Answer) -> None:
        """The same command under the same key: told as the first time."""
        assert self._sending is not None
        again = await self._sending.send(person, first.command, first.attempts + 1)
        if not again.accepted or not again.told["repeated"] or again.events != first.events:
            raise Wrong(f"{first.command.path} (n {first.command.n}) was answered otherwise again: {again.told}")

    async def _something_else(self, person: Person, used: Command) -> None:
        """Another body under a key that was used: refused."""
        assert self._sending is not None
        fresh = self._sending.command(person, used.path, acts.otherwise(used.body))
        other = Command(fresh.n, fresh.person, fresh.role, fresh.path, used.key, fresh.body)
        answer = await self._sending.send(person, other)
        if answer.accepted or answer.problem != REUSED:
            raise Wrong(f"{used.path} (n {other.n}) took the key of n {used.n} for something else: {answer.told}")
