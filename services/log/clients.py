"""Clients of kafka-python that leave nothing behind where no broker answers, which may be so for hours.

A constructor of it that fails (3.0.12) leaves a running thread, the sockets that wake it and every refused connection:
a process that asks again and again would run out of descriptors.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from kafka.errors import KafkaConnectionError
from kafka.net.compat import KafkaNetClient

LISTEN_SECONDS = 2.0
MOST_PORT = 65_535

C = TypeVar("C")


def connected(
    kind: Callable[..., C],
    bootstrap: str | Sequence[str],
    *,
    kafka_client: Callable[..., Any] = KafkaNetClient,
    **settings: Any,
) -> C:
    """An admin client, consumer or producer that has found a broker. It blocks; raises KafkaError or OSError else."""
    made: list[Any] = []

    def client(**configs: Any) -> Any:
        made.append(kafka_client(**configs))
        return made[-1]

    try:
        return kind(bootstrap_servers=listening(bootstrap), kafka_client=client, **settings)
    except BaseException:
        for one in made:
            one.close()
        raise


def listening(bootstrap: str | Sequence[str]) -> list[str]:
    """The addresses to begin with, if one of them takes a connection; raises KafkaConnectionError, also where one of
    them is no address: it says which, and what is expected."""
    addresses = bootstrap.split(",") if isinstance(bootstrap, str) else list(bootstrap)
    for address in addresses:
        at = _address(address)
        with contextlib.suppress(OSError), socket.create_connection(at, LISTEN_SECONDS):
            return addresses
    raise KafkaConnectionError(f"nobody listens at {','.join(addresses)}")


def _address(told: str) -> tuple[str, int]:
    """Host and port of `host:port`, where an address of IPv6 stands in brackets."""
    host, _, port = told.strip().rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not bare or not (port.isascii() and port.isdigit()) or int(port) > MOST_PORT or (":" in host and bare == host):
        raise KafkaConnectionError(
            f"{told.strip()!r} is no address of a broker: expected host:port, such as 127.0.0.1:9092 or [::1]:9092; "
            "correct it"
        )
    return bare, int(port)
