"""Callers who ask the same of the same rows at one moment share one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

MOST_AT_ONCE = 2
"""One is folded into answers while the next is under way."""

K = TypeVar("K", bound=Hashable)
A = TypeVar("A")


@dataclass(slots=True)
class _Batch(Generic[A]):
    about: set[str] = field(default_factory=set)
    callers: list[asyncio.Future[A]] = field(default_factory=list)

    def give(self, answer: A) -> None:
        for caller in self.callers:
            if not caller.done():
                caller.set_result(answer)

    def refuse(self, error: BaseException) -> None:
        for caller in self.callers:
            if not caller.done():
                caller.set_exception(error)


class Together(Generic[K, A]):
    """Asks for everybody who waits, at most `MOST_AT_ONCE` batches at a time for each `whose`; of one event loop.

    `ask` answers for many names at once; whatever it raises, everybody of its batch is told.
    """

    def __init__(self, ask: Callable[[K, Sequence[str]], Awaitable[A]]) -> None:
        self._ask = ask
        self._next: dict[K, _Batch[A]] = {}
        self._asking: dict[K, set[asyncio.Task[None]]] = {}

    async def ask(self, whose: K, about: str) -> A:
        """The answer of the batch that this question goes along with."""
        if (batch := self._next.get(whose)) is None:
            batch = self._next[whose] = _Batch()
            asking = self._asking.setdefault(whose, set())
            if len(asking) < MOST_AT_ONCE:
                asking.add(asyncio.create_task(self._ask_while_somebody_waits(whose)))
        batch.about.add(about)
        caller: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        batch.callers.append(caller)
        return await caller

    async def _ask_while_somebody_waits(self, whose: K) -> None:
        asking_now = asyncio.current_task()
        assert asking_now is not None
        try:
            while (batch := self._next.pop(whose, None)) is not None:
                try:
                    batch.give(await self._ask(whose, sorted(batch.about)))
                except Exception as error:
                    batch.refuse(error)
                except asyncio.CancelledError:
                    batch.refuse(asyncio.CancelledError())
                    raise
        finally:
            asking = self._asking[whose]
            asking.discard(asking_now)
            if not asking:
                del self._asking[whose]
