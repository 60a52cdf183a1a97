"""A broker a module, for the folders that need one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.conftest import server_folder
from tests.support.brokers import a_broker

if TYPE_CHECKING:  # kafka-python warns at its import, which this file is too early to have filtered
    from services.local.kafka import KafkaServer


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaServer]:
    """A node on a port that it keeps over restarts."""
    with a_broker(server_folder() / "kafka") as server:
        yield server
