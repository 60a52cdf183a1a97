"""Callers of one moment share a question, with eyes of the same sight alone; what is wrong is told to each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.api.together import MOST_AT_ONCE, Together


class Asked:
    """Answers when it is let; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.free = asyncio.Event()
        self.at_once = self.most_at_once = 0
        self.wrong: Exception | None = None

    async def __call__(self, whose: str, about: Sequence[str]) -> dict[str, str]:
        self.asked.append((whose, tuple(about)))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.free.wait()
        finally:
            self.at_once -= 1
        if self.wrong is not None:
            raise self.wrong
        return {one: f"{one} as {whose} sees it" for one in about}


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_asks_while_somebody_waits_goes_along_with_the_next() -> None:
    asked = Asked()
    together = Together[str, dict[str, str]](asked)
    tasks = [asyncio.create_task(together.ask("all", unit)) for unit in ("b", "a", "b")]
    await settle()
    assert asked.asked == [("all", ("a", "b"))]
    for _ in range(MOST_AT_ONCE - 1):
        tasks.append(asyncio.create_task(together.ask("all", "c")))
        await settle()
    tasks += [asyncio.create_task(together.ask("all", unit)) for unit in ("d", "e", "d")]
    await settle()
    assert len(asked.asked) == MOST_AT_ONCE
    asked.free.set()
    answers = await asyncio.gather(*tasks)
    assert asked.asked[-1] == ("all", ("d", "e"))
    assert asked.most_at_once == MOST_AT_ONCE
    assert answers[0]["b"] == "b as all sees it"
    assert (together._next, together._asking) == ({}, {})


async def test_nobody_is_answered_with_anothers_eyes() -> None:
    asked = Asked()
    together = Together[str, dict[str, str]](asked)
    asked.free.set()
    west, east = await asyncio.gather(together.ask("west", "a"), together.ask("east", "a"))
    assert (west, east) == ({"a": "a as west sees it"}, {"a": "a as east sees it"})
    assert sorted(asked.asked) == [("east", ("a",)), ("west", ("a",))]


async def test_what_is_wrong_is_told_to_everybody_and_the_next_are_asked_anew() -> None:
    asked = Asked()
    together = Together[str, dict[str, str]](asked)
    asked.wrong = ValueError("the database is away")
    asked.free.set()
    told = await asyncio.gather(together.ask("all", "a"), together.ask("all", "b"), return_exceptions=True)
    assert [type(one) for one in told] == [ValueError, ValueError]
    asked.wrong = None
    assert await together.ask("all", "a") == {"a": "a as all sees it"}


async def test_who_goes_away_takes_nothing_from_the_others() -> None:
    asked = Asked()
    together = Together[str, dict[str, str]](asked)
    gone, stays = (asyncio.create_task(together.ask("all", unit)) for unit in ("a", "b"))
    await settle()
    gone.cancel()
    await settle()
    asked.free.set()
    assert (await stays)["b"] == "b as all sees it"
    with pytest.raises(asyncio.CancelledError):
        await gone
