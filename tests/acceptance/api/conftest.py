"""One stack with the API on it for every test of this folder that needs a network which has begun, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.doors import Doors, open_doors


@pytest.fixture(scope="package")
async def doors() -> AsyncIterator[Doors]:
    async with open_doors() as doors:
        yield doors
