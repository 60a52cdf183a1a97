"""Questions that many callers ask at the same moment share one answer: one round trip and one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.vault.connection import CONNECTION_FAULTS, answers
from services.vault.refused import VaultError, VaultUnavailable

MOST_QUESTIONS = 1_000

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class _Caller(Generic[Q, A]):
    questions: tuple[Q, ...]
    answer: asyncio.Future[Mapping[Q, A]]

    def refuse(self, error: VaultError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def give(self, answers: Mapping[Q, A | VaultError]) -> None:
        """Give this caller what it asked; what is wrong with another's question is not its concern."""
        mine: dict[Q, A] = {}
        for question in self.questions:
            answer = answers[question]
            if isinstance(answer, VaultError):
                return self.refuse(answer)
            mine[question] = answer
        if not self.answer.done():
            self.answer.set_result(mine)
        return None


class Batch(Generic[Q, A]):
    """Asks for everybody who waits, one batch at a time, within one event loop.

    `ask_all` takes different questions and answers each, with a VaultError where one has no answer. It is asked once
    more where the connection broke, so asking twice must not differ from asking once.
    """

    def __init__(self, what: str, ask_all: Callable[[Sequence[Q]], Awaitable[Mapping[Q, A | VaultError]]]) -> None:
        self._what = what
        self._ask_all = ask_all
        self._waiting: list[_Caller[Q, A]] = []
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, questions: Collection[Q]) -> Mapping[Q, A]:
        """Answer these questions; raises the first VaultError among them."""
        caller: _Caller[Q, A] = _Caller(tuple(questions), asyncio.get_running_loop().create_future())
        self._waiting.append(caller)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_while_somebody_waits())
        return await caller.answer

    async def close(self) -> None:
        """Ask no more; who still waits is told that the vault is unavailable."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
        for caller in self._waiting:
            caller.refuse(self._closing())
        self._waiting.clear()

    async def _ask_while_somebody_waits(self) -> None:
        while self._waiting:
            callers = self._next()
            try:
                answers = await self._ask_twice({question: None for caller in callers for question in caller.questions})
            except VaultError as error:
                for caller in callers:
                    caller.refuse(error)
            except Exception as error:
                for caller in callers:
                    caller.refuse(VaultUnavailable(f"{self._what} ({type(error).__name__})"))
            except asyncio.CancelledError:
                for caller in callers:
                    caller.refuse(self._closing())
                raise
            else:
                for caller in callers:
                    caller.give(answers)

    async def _ask_twice(self, questions: Mapping[Q, None]) -> Mapping[Q, A | VaultError]:
        async with answers(self._what):
            try:
                return await self._ask_all(list(questions))
            except CONNECTION_FAULTS:
                return await self._ask_all(list(questions))

    def _next(self) -> list[_Caller[Q, A]]:
        taken, size = 0, 0
        while taken < len(self._waiting) and (taken == 0 or size < MOST_QUESTIONS):
            size += len(self._waiting[taken].questions)
            taken += 1
        callers, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return callers

    def _closing(self) -> VaultUnavailable:
        return VaultUnavailable(f"{self._what} (it is closing)")
