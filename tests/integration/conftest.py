"""A broker a module, for the folders that need one."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from services.settings import Settings
from tests.conftest import server_folder

if TYPE_CHECKING:  # kafka-python warns at its import, which this file is too early to have filtered
    from services.local.kafka import KafkaServer


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaServer]:
    """A node on a port that it keeps over restarts."""
    from services.local.jars import kafka_jars
    from services.local.kafka import KafkaServer

    server = KafkaServer(server_folder() / "kafka", kafka_jars(Settings().cache_folder))
    server.start()
    server.wanted_port = server.port
    yield server
    server.stop()
    collect_forgotten_sockets()


def collect_forgotten_sockets() -> None:
    """kafka-python 3.0.12 leaves a socket open whose connection was refused: it ends here, and in nobody's test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
