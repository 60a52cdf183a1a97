"""What is asked in one turn of the loop is asked at once, and nobody pays for another's question."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.processors.together import Together


class Wrong(Exception):
    """A question that has no answer."""


class Answering:
    """Doubles numbers and remembers each go; a negative one is wrong, and at zero the connection goes."""

    def __init__(self) -> None:
        self.goes: list[list[int]] = []
        self.together = Together(self._double)

    async def _double(self, numbers: Sequence[int]) -> Sequence[int]:
        self.goes.append(list(numbers))
        await asyncio.sleep(0)
        if 0 in numbers:
            raise ConnectionResetError
        if min(numbers) < 0:
            raise Wrong
        return [2 * number for number in numbers]


async def test_who_asks_in_one_turn_shares_a_go_and_gets_their_own_answer() -> None:
    answering = Answering()

    assert await asyncio.gather(*map(answering.together.ask, (1, 2, 3))) == [2, 4, 6]
    assert await answering.together.ask(4) == 8
    assert answering.goes == [[1, 2, 3], [4]]


async def test_what_is_wrong_with_one_is_not_the_others_concern() -> None:
    answering = Answering()
    given = await asyncio.gather(*map(answering.together.ask, (1, -1, 3)), return_exceptions=True)

    assert [given[0], given[2]] == [2, 6]
    assert isinstance(given[1], Wrong)
    assert answering.goes == [[1, -1, 3], [1], [-1], [3]]


async def test_when_the_connection_goes_nobody_is_asked_for_again() -> None:
    answering = Answering()
    given = await asyncio.gather(*map(answering.together.ask, (1, 0, 3)), return_exceptions=True)

    assert [type(one) for one in given] == [ConnectionResetError] * 3
    assert answering.goes == [[1, 0, 3]]


async def test_who_stops_waiting_takes_nothing_with_them() -> None:
    answering = Answering()
    asked = [asyncio.create_task(answering.together.ask(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    asked[0].cancel()

    assert await asked[1] == 4
    with pytest.raises(asyncio.CancelledError):
        await asked[0]
