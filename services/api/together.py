"""Callers who ask the same of the same rows at one moment share one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
A = TypeVar("A")


@dataclass(slots=True)
class _Batch(Generic[A]):
    answer: asyncio.Future[A]
    about: set[str] = field(default_factory=set)


class Together(Generic[K, A]):
    """Asks for everybody who waits, one batch at a time for each `whose`; it belongs to one event loop.

    `ask` answers for many names at once; whatever it raises, everybody of its batch is told.
    """

    def __init__(self, ask: Callable[[K, Sequence[str]], Awaitable[A]]) -> None:
        self._ask = ask
        self._next: dict[K, _Batch[A]] = {}
        self._asking: dict[K, asyncio.Task[None]] = {}

    async def ask(self, whose: K, about: str) -> A:
        """The answer of the batch that this question goes along with."""
        if (batch := self._next.get(whose)) is None:
            batch = self._next[whose] = _Batch(asyncio.get_running_loop().create_future())
            if whose not in self._asking:
                self._asking[whose] = asyncio.create_task(self._ask_while_somebody_waits(whose))
        batch.about.add(about)
        return await asyncio.shield(batch.answer)

    async def _ask_while_somebody_waits(self, whose: K) -> None:
        try:
            while (batch := self._next.pop(whose, None)) is not None:
                try:
                    batch.answer.set_result(await self._ask(whose, sorted(batch.about)))
                except Exception as error:
                    batch.answer.set_exception(error)
                    batch.answer.exception()  # seen here, also where everybody who asked has gone
                except asyncio.CancelledError:
                    batch.answer.cancel()
                    raise
        finally:
            del self._asking[whose]
