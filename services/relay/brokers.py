"""Whether anybody listens where Kafka should, asked before a client is made.

A client that finds nobody tries on for its whole timeout and leaves sockets behind (kafka-python 3.0.12); a broker may
be away for hours.
"""

from __future__ import annotations

import contextlib
import socket

LISTEN_SECONDS = 2.0


class BrokerAway(Exception):
    """No answer from Kafka: nothing is known, so nothing is sent."""


def somebody_listens(bootstrap: str) -> list[str]:
    """The addresses to begin with, if one of them takes a connection; raises BrokerAway."""
    addresses = bootstrap.split(",")
    for address in addresses:
        host, _, port = address.strip().rpartition(":")
        with contextlib.suppress(OSError, ValueError), socket.create_connection((host, int(port)), LISTEN_SECONDS):
            return addresses
    raise BrokerAway(f"no broker answers at {bootstrap}")
