"""A client of Kafka that found no broker leaves no thread and no descriptor: a broker may be away for hours."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from services.log.clients import connected

CLIENTS = [KafkaAdminClient, KafkaConsumer, KafkaProducer]


def held() -> tuple[int, int]:
    return psutil.Process().num_fds(), sum(thread.name.startswith("kafka") for thread in threading.enumerate())


@pytest.mark.parametrize("kind", CLIENTS)
def test_where_nobody_listens(kind: Callable[..., Any]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        before = held()
        for _ in range(3):
            with pytest.raises(KafkaError, match="nobody listens at "):
                connected(kind, f"127.0.0.1:{unused.getsockname()[1]}", bootstrap_timeout_ms=500)
        assert held() == before


@pytest.mark.parametrize("kind", CLIENTS)
def test_where_somebody_listens_who_never_answers(kind: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        before = held()
        for _ in range(3):
            with pytest.raises(KafkaError):
                connected(kind, [f"127.0.0.1:{silent.getsockname()[1]}"], bootstrap_timeout_ms=300)
        assert held() == before
