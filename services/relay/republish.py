"""A topic made anew: deleted and made again under the leader's lock; the start procedure then sends everything.

An operator asks for it (`intabaza relay republish`) by the id of the topic that is to go, so that an interruption at
any moment is mended by beginning again: a topic with another id is new already.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import structlog
from kafka import KafkaAdminClient
from kafka.errors import KafkaError, UnknownTopicOrPartitionError

from services.local.problems import LocalProblem
from services.local.topics import make_topics
from services.relay.brokers import BrokerAway, somebody_listens
from services.relay.leader import Leadership

GONE_SECONDS = 30.0

_log = structlog.get_logger(__name__)


async def make_anew(lead: Leadership, bootstrap: str, partitions: int, replication: int) -> None:
    """Make the topics anew that somebody asked for; nothing where nobody did. Raises BrokerAway, LeadLost."""
    asked = await lead.republications()
    if not asked:
        return
    for topic, doomed in asked.items():
        _log.warning("relay_makes_a_topic_anew", topic=topic)
        await asyncio.to_thread(_delete, bootstrap, topic, str(doomed))
    try:
        await asyncio.to_thread(make_topics, bootstrap, partitions, replication)
    except LocalProblem as error:
        raise BrokerAway(str(error)) from error
    for topic in asked:
        await lead.begin_anew(topic)


def _delete(bootstrap: str, topic: str, doomed: str) -> None:
    """Delete the topic if it is still the one with this id, and wait until it is gone."""
    try:
        admin = KafkaAdminClient(bootstrap_servers=somebody_listens(bootstrap), client_id="intabaza-relay-topics")
        try:
            if _id_of(admin, topic) != doomed:
                return
            with suppress(UnknownTopicOrPartitionError):
                admin.delete_topics([topic])
            deadline = time.monotonic() + GONE_SECONDS
            while _id_of(admin, topic) == doomed:
                if time.monotonic() > deadline:
                    raise BrokerAway(f"{topic} was deleted and is still there")
                time.sleep(0.05)
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        raise BrokerAway(f"{topic} could not be made anew ({type(error).__name__}: {error})") from error


def _id_of(admin: KafkaAdminClient, topic: str) -> str | None:
    if topic not in admin.list_topics():
        return None
    [described] = admin.describe_topics([topic])
    return None if described["error_code"] else str(described["topic_id"])
