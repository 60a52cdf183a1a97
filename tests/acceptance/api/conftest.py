"""Two stacks with the API: one on which everything was told, for who asks and changes little; one for who writes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.doors import Doors, open_doors
from tests.support.told import Told, a_told_story


@pytest.fixture(scope="session")
async def told() -> AsyncIterator[Told]:
    async with a_told_story() as told:
        yield told


@pytest.fixture(scope="package")
async def doors() -> AsyncIterator[Doors]:
    """A network that has begun, and nothing yet."""
    async with open_doors() as doors:
        yield doors
