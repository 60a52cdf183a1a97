"""A broker of a test's own, which it may kill and start again; kafka-python is imported when one is made.

It warns at its import, which a conftest is too early to have filtered.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from services.settings import Settings

if TYPE_CHECKING:
    from services.local.kafka import KafkaServer


@contextmanager
def a_broker(folder: Path) -> Iterator[KafkaServer]:
    """A node on a port that it keeps over restarts."""
    from services.local.jars import kafka_jars
    from services.local.kafka import KafkaServer
    from services.local.quick_start import quick_start

    jars = kafka_jars(Settings().cache_folder)
    server = KafkaServer(folder, jars, java_options=quick_start(jars))
    try:
        server.start()
        server.wanted_port = server.port
        yield server
    finally:
        server.stop()
        collect_forgotten_sockets()


def collect_forgotten_sockets() -> None:
    """kafka-python 3.0.12 leaves a socket open whose connection was refused: it ends here, and in nobody's test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
