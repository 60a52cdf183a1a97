"""One stack on which everything was told, and a case of it that was referred."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.history import Story
from tests.support.stack import Stack, a_stack
from tests.support.told_on_a_stack import a_history_on


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack() as running:
        running.up()
        yield running


@pytest.fixture(scope="module")
async def story(stack: Stack) -> AsyncIterator[Story]:
    async with a_history_on(stack) as told:
        yield told


@pytest.fixture(scope="module")
def case_id(story: Story) -> str:
    return next(order.target for order, _ in story.answers if type(order.command).__name__ == "Refer")
