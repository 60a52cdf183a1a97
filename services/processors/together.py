"""What several partitions ask of Postgres in the same turn of the loop is asked at once: round trips cost most.

Each round trip is a hand-over between two processes, and on a busy machine each of those waits for a core.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import asyncpg

Q = TypeVar("Q")
A = TypeVar("A")

GONE = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""A connection that went says nothing of whose question it was: nobody's is asked again here."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked(Generic[Q, A]):
    question: Q
    answer: asyncio.Future[A]

    def give(self, answer: A) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)

    def refuse(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Together(Generic[Q, A]):
    """Asks in one go what is asked in one turn of the loop. `ask_all` answers in the order of the questions.

    Where it is refused, each is asked alone: what is wrong with one is not the others' concern. Nothing of a refused go
    may have been done; of one whose connection went, that is not known, and whoever asked has to look.
    """

    def __init__(self, ask_all: Callable[[Sequence[Q]], Awaitable[Sequence[A]]]) -> None:
        self._ask_all = ask_all
        self._waiting: list[_Asked[Q, A]] = []
        self._going: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> A:
        """The answer; raises what `ask_all` raises for this question."""
        loop = asyncio.get_running_loop()
        asked: _Asked[Q, A] = _Asked(question, loop.create_future())
        if not self._waiting:
            loop.call_soon(self._go)
        self._waiting.append(asked)
        return await asked.answer

    def _go(self) -> None:
        waiting, self._waiting = self._waiting, []
        task = asyncio.create_task(self._answer(waiting))
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def _answer(self, waiting: Sequence[_Asked[Q, A]]) -> None:
        try:
            answers = await self._ask_all([one.question for one in waiting])
        except asyncio.CancelledError:  # the loop ends
            for one in waiting:
                one.answer.cancel()
            raise
        except Exception as error:
            if len(waiting) == 1 or isinstance(error, GONE):
                for one in waiting:
                    one.refuse(error)
                return
            for one in waiting:
                await self._answer([one])
        else:
            for one, answer in zip(waiting, answers, strict=True):
                one.give(answer)
