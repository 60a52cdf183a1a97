"""Two stacks with the API: one on which everything was told, for who asks and changes little; one for who writes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from schemathesis.pytest.plugin import SchemathesisFunction

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """schemathesis (4.32) leaves all operations' tests one id under pytest 9.2, and xdist runs one test of each id."""
    for item in items:
        if isinstance(item, SchemathesisFunction) and item.id.params is None:
            item._id = item.id.with_params(item.operation_label)
