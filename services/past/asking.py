"""Who asks for a moment waits for it here: it is folded in a process beside this one, which ends when nobody asks.

Bounded: moments are folded one at a time, so many may wait, of one person fewer, each for so long, and the process has
so much memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog

from projections.projection import Projection
from projections.sql import named_queries

SQL = named_queries("services.past", "standing.sql")
IDLE_SECONDS = 600.0
"""After so long without a question the process ends; the next one starts it again. Until then it lets places stand that
nobody asked for yet, so that later questions are near to one."""

_log = structlog.get_logger(__name__)

Look = Callable[..., Awaitable[Any]]
"""Asks the database for one value."""


class NotYet(Exception):
    """This moment cannot be shown now; the message says why, and asking again helps."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many moments may wait, and of one person, how long who asks does, and how long one may be folded."""

    waiting: int
    waiting_of_one: int
    answer_seconds: float
    fold_seconds: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A moment that is to be folded, and who asked for it first: it counts as theirs."""

    task: asyncio.Task[str]
    person_id: UUID


class Past:
    """Finds where projections stand as of moments; it belongs to one event loop."""

    def __init__(self, look: Look, environment: Mapping[str, str], bounds: Bounds) -> None:
        self._look = look
        self._folder = Folder(environment)
        self._bounds = bounds
        self._asked: dict[tuple[str, int], _Waiting] = {}
        self._idle: asyncio.TimerHandle | None = None

    async def place(self, projection: Projection[Any, Any], position: int, person_id: UUID) -> str:
        """The schema in which a projection stands as of a position that is on Kafka; raises NotYet.

        Whoever asks for what waits already waits with it; only for what they ask for first a person is bounded.
        """
        place = await self._look(SQL["stands"], projection.name, projection.version, projection.form, position)
        if place is not None:
            return str(place)
        wanted = projection.name, position
        task = self._asked[wanted].task if wanted in self._asked else self._begin(wanted, person_id)
        try:
            async with asyncio.timeout(self._bounds.answer_seconds):
                return await asyncio.shield(task)
        except TimeoutError:
            pass
        raise NotYet(f"{projection.name} is being folded up to position {position}{self._far(wanted)}: ask again soon")

    def _begin(self, wanted: tuple[str, int], person_id: UUID) -> asyncio.Task[str]:
        theirs = sum(one.person_id == person_id for one in self._asked.values())
        if theirs >= self._bounds.waiting_of_one:
            raise NotYet(f"{theirs} moments that you asked for wait to be folded: ask again when one of them is done")
        if len(self._asked) >= self._bounds.waiting:
            raise NotYet(f"{len(self._asked)} other moments wait to be folded: ask again when they are done")
        task = asyncio.create_task(self._made(*wanted))
        self._asked[wanted] = _Waiting(task, person_id)
        task.add_done_callback(lambda done: self._done(wanted, done))
        return task

    async def close(self) -> None:
        """End the process, whatever it does; whoever waits is told so."""
        if self._idle is not None:
            self._idle.cancel()
        for one in self._asked.values():
            one.task.cancel()
        await self._folder.end()

    def _far(self, wanted: tuple[str, int]) -> str:
        working = self._folder.working
        if working is None or working[0] != wanted:
            return ""
        return f" and has come to about {working[1]}"

    async def _made(self, name: str, position: int) -> str:
        if self._idle is not None:
            self._idle.cancel()
        end = await self._look(SQL["acknowledged"])
        return await self._folder.fold(name, position, max(position, end), self._bounds.fold_seconds)

    def _done(self, wanted: tuple[str, int], task: asyncio.Task[str]) -> None:
        del self._asked[wanted]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("a_moment_is_not_folded", projection=wanted[0], position=wanted[1], because=str(error))
        if not self._asked:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(IDLE_SECONDS, lambda: loop.create_task(self._rest()))

    async def _rest(self) -> None:
        if not self._asked:
            await self._folder.end()


class Folder:
    """The process beside this one. It ends with this one, since its stdin does."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self.working: tuple[tuple[str, int], int] | None = None
        """What it folds, and how far that is."""

    async def fold(self, name: str, position: int, end: int, seconds: float) -> str:
        """Let it fold one moment after the other; raises NotYet where it cannot, or takes longer than `seconds`.

        Up to `end`, all of which is on Kafka, it lets the projection stand at round positions once nobody asks.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(seconds):
                    return await self._fold(name, position, end)
            except TimeoutError:
                await self.end()
                raise NotYet(f"folding {name} up to position {position} took more than {seconds:g} s") from None
            except OSError as error:
                await self.end()
                raise NotYet(f"nothing can be folded now ({type(error).__name__})") from None
            finally:
                self.working = None

    async def _fold(self, name: str, position: int, end: int) -> str:
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        self.working = (name, position), 0
        process.stdin.write(orjson.dumps({"projection": name, "position": position, "end": end}) + b"\n")
        await process.stdin.drain()
        while line := await process.stdout.readline():
            answer = orjson.loads(line)
            if "place" in answer:
                place: str = answer["place"]
                return place
            if "failed" in answer:
                raise NotYet(f"{name} cannot be folded up to position {position} now: {answer['failed']}")
            self.working = (name, position), answer["done"]
        status = await process.wait()
        raise NotYet(f"the process that folds moments ended with status {status}: its log says why")

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.past", stdin=PIPE, stdout=PIPE, env=self._environment
            )
        return self._process

    async def end(self) -> None:
        """End it, whatever it does: what it was making is swept away by the next one."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
