"""Our two topics: made once with settings that keep every event for ever, and checked at every start."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from kafka.errors import KafkaError, TopicAlreadyExistsError

from events.envelope import WIRE_LIMIT_BYTES
from services.local.problems import TopicsDiffer
from services.local_problem import LocalProblem
from services.log.clients import connected

EVENTS = "events.v1"
ALERTS = "alerts.v1"
TOPICS = (EVENTS, ALERTS)

BATCH_LIMIT_BYTES = WIRE_LIMIT_BYTES + 65_536
"""The limit is on a whole batch: beside the event its own 61 bytes, the record's key, our three headers and lengths.
64 KiB is far more than those, and the sum stays under 1 MiB, so that the clients' own limits hold."""

TOPIC_SETTINGS: Mapping[str, str] = {
    "cleanup.policy": "delete",  # with no limit below: neither compaction nor deletion ever takes an event
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "flush.messages": "1",  # a broker otherwise acknowledges before the disk has it
    "max.message.bytes": str(BATCH_LIMIT_BYTES),
    "compression.type": "uncompressed",  # what a stranger packed, the broker unpacks: not every reader of ours could
}

PUT_RIGHT = ("compression.type",)
"""What is set on a topic that an earlier release made without it: no event that stands there is touched by that."""


def make_topics(bootstrap: str, partitions: int, replication: int = -1) -> None:
    """Make the topics that are missing and check those that are there.

    Raises TopicsDiffer where a topic has another number of partitions (it is fixed when a topic is made, because the
    partition of a home must never change) or settings under which events would be lost, or a stranger's could stop who
    reads them; LocalProblem where the broker does not answer.
    """
    try:
        admin = connected(KafkaAdminClient, bootstrap, client_id="intabaza-topics")
    except KafkaError as error:
        raise LocalProblem(
            f"No Kafka broker answers at {bootstrap} ({type(error).__name__}): start it, "
            "or correct INTABAZA_KAFKA_BOOTSTRAP."
        ) from error
    try:
        there = set(admin.list_topics())
        wanted = {
            "num_partitions": partitions,
            "replication_factor": replication,
            "configs": dict(TOPIC_SETTINGS),
        }
        for topic in TOPICS:
            if topic not in there:
                # another start may make it between the list and now; it is checked below like any other
                with contextlib.suppress(TopicAlreadyExistsError):
                    admin.create_topics({topic: wanted}, wait_for_metadata=True)
        _check_partitions(admin, partitions)
        _check_settings(admin)
    except KafkaError as error:
        raise LocalProblem(
            f"The topics could not be made or checked at {bootstrap}: {type(error).__name__}: {error}. "
            "See the broker's log; starting again does no harm."
        ) from error
    finally:
        admin.close()


def _check_partitions(admin: KafkaAdminClient, partitions: int) -> None:
    for described in admin.describe_topics(list(TOPICS)):
        found = len(described["partitions"])
        if found != partitions:
            raise TopicsDiffer(
                f"The topic {described['name']} has {found} partitions and the setting says {partitions}. Their number "
                "is fixed when a topic is made, since events of one place must stay in one partition: set "
                f"INTABAZA_PARTITIONS={found}, or start with an empty data folder."
            )


def _check_settings(admin: KafkaAdminClient) -> None:
    asked = [ConfigResource("TOPIC", topic, dict.fromkeys(TOPIC_SETTINGS, "")) for topic in TOPICS]
    found: dict[str, Any] = next(iter(admin.describe_configs(asked, config_filter="all").values()))
    for topic in TOPICS:
        _put_right(admin, topic, found[topic])
        differing = [
            f"{name} is {found[topic][name]['value']} and must be {value}"
            for name, value in TOPIC_SETTINGS.items()
            if found[topic][name]["value"] != value
        ]
        if differing:
            raise TopicsDiffer(
                f"The topic {topic} would lose or refuse events: {'; '.join(differing)}. "
                "Set this on the topic (kafka-configs --alter) and start again."
            )


def _put_right(admin: KafkaAdminClient, topic: str, found: dict[str, Any]) -> None:
    """Set what may be set on a topic that is in use; where the broker does not allow that, it stays found."""
    wanted = {name: TOPIC_SETTINGS[name] for name in PUT_RIGHT if found[name]["value"] != TOPIC_SETTINGS[name]}
    if wanted and admin.alter_configs([ConfigResource("TOPIC", topic, wanted)])["topic"][topic] == "OK":
        for name, value in wanted.items():
            found[name]["value"] = value
