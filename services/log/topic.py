"""Which topic stands behind a name now: its id, which no topic made later under that name has, and its partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from kafka import KafkaAdminClient

from services.local_problem import LocalProblem
from services.log.clients import connected

CONNECT_MS = 10_000


class TopicAbsent(LocalProblem):
    """A topic of ours does not exist."""

    def __init__(self, name: str, servers: Sequence[str]) -> None:
        super().__init__(
            f"There is no topic {name} on the Kafka at {','.join(servers)}: `intabaza up` makes it when it starts; "
            "where somebody deleted it, `intabaza relay republish` makes it anew and sends everything again."
        )


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is now."""

    topic_id: UUID
    partitions: int


def look_up_topics(servers: Sequence[str], names: Sequence[str], client_id: str) -> Mapping[str, Topic]:
    """Those of these topics that exist. It blocks, and raises KafkaError or OSError where no broker answers."""
    admin = connected(
        KafkaAdminClient,
        servers,
        client_id=client_id,
        bootstrap_timeout_ms=CONNECT_MS,
        request_timeout_ms=CONNECT_MS,
    )
    try:
        described = admin.describe_topics(list(names))
    finally:
        admin.close()
    return {
        one["name"]: Topic(UUID(str(one["topic_id"])), len(one["partitions"]))
        for one in described
        if not one["error_code"]
    }


def look_up_topic(servers: Sequence[str], name: str, client_id: str) -> Topic:
    """One topic, in the same way. Raises TopicAbsent too."""
    found = look_up_topics(servers, [name], client_id)
    if name not in found:
        raise TopicAbsent(name, servers)
    return found[name]
