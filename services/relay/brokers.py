"""Whether anybody listens where Kafka should, as the relay asks."""

from __future__ import annotations

from kafka.errors import KafkaConnectionError

from services.log.clients import listening


class BrokerAway(Exception):
    """No answer from Kafka: nothing is known, so nothing is sent."""


def somebody_listens(bootstrap: str) -> list[str]:
    """The addresses to begin with, if one of them takes a connection; raises BrokerAway."""
    try:
        return listening(bootstrap)
    except KafkaConnectionError as error:
        raise BrokerAway(f"no broker answers at {bootstrap}: {error.args[0]}") from None
