"""A disk for one test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.faults.power.disk import Disk


@pytest.fixture
def disk() -> Iterator[Disk]:
    """Unmounted and removed whatever happened; whoever writes to it is ended by the test."""
    disk = Disk()
    yield disk
    disk.remove()


@pytest.fixture(scope="session")
def cuts() -> int:
    """How many cuts of each kind: `make power CUTS=20` asks for more."""
    return int(os.getenv("INTABAZA_POWER_CUTS", "3"))  # noqa: TID251 - a test's own size
