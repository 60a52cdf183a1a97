"""An address of a broker that is none is told as such, and not as one where nobody listens."""

from __future__ import annotations

import socket

import pytest
from kafka.errors import KafkaConnectionError

from services.log.clients import listening
from services.relay.brokers import BrokerAway, somebody_listens


@pytest.mark.parametrize("told", ["kafka", "kafka:", ":9092", "kafka:9092x", "kafka:99999", "::1:9092", "[]:9092", ""])
def test_what_is_no_address_is_told_with_what_is_expected(told: str) -> None:
    with pytest.raises(KafkaConnectionError, match="is no address of a broker: expected host:port, such as") as refused:
        listening(told)
    assert repr(told) in str(refused.value)
    with pytest.raises(BrokerAway, match="expected host:port"):
        somebody_listens(told)


@pytest.mark.parametrize(
    ("family", "host", "told"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET6, "::1", "[::1]"),
    ],
)
def test_who_listens_is_found_by_either_protocol(family: socket.AddressFamily, host: str, told: str) -> None:
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {told}")
    with server:
        address = f"{told}:{server.getsockname()[1]}"
        assert listening(address) == [address]
    with pytest.raises(KafkaConnectionError, match="nobody listens at"):
        listening(address)
