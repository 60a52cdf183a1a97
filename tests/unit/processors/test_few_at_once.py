"""Short batches of several partitions are folded at once, long ones alone, and each of them in its turn."""

from __future__ import annotations

import asyncio

import pytest

from services.processors.delivery import FEW_RECORDS, every, few_at_once


def test_what_is_short_goes_together_and_what_is_long_alone() -> None:
    sizes = {"a": 1, "b": FEW_RECORDS - 1, "c": 1, "d": 5 * FEW_RECORDS, "e": 2, "f": 3}
    batches = {name: [name] * size for name, size in sizes.items()}
    groups = list(few_at_once(batches))

    assert [list(group) for group in groups] == [["a", "b"], ["c"], ["d"], ["e", "f"]]
    assert {name: batch for group in groups for name, batch in group.items()} == batches


async def test_an_error_is_told_when_all_are_done() -> None:
    done: list[int] = []

    async def offer(number: int) -> int:
        if number == 1:
            raise ValueError(number)
        for _ in range(number):
            await asyncio.sleep(0)
        done.append(number)
        return number

    with pytest.raises(ValueError, match="1"):
        await every(offer(number) for number in range(5))
    assert done == [0, 2, 3, 4]
    assert await every(offer(number) for number in (3, 2)) == [3, 2]
