"""One stack on which everything was told, for every test that asks and changes little."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.told import Told, a_told_story


@pytest.fixture(scope="session")
async def told() -> AsyncIterator[Told]:
    async with a_told_story() as told:
        yield told
