"""A topic made anew: deleted and made again under the leader's lock; the start procedure then sends everything.

An operator asks for it (`intabaza relay republish`) by the id of the topic that is to go, so that an interruption at
any moment is mended by beginning again: a topic with another id is new already.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import structlog
from kafka import KafkaAdminClient
from kafka.errors import KafkaError, UnknownTopicIdError, UnknownTopicOrPartitionError

from services.local.topics import make_topics
from services.local_problem import LocalProblem
from services.log.clients import connected
from services.log.topic import look_up_topics
from services.relay.brokers import BrokerAway, somebody_listens
from services.relay.leader import Leadership

GONE_SECONDS = 30.0

_log = structlog.get_logger(__name__)


class WantedAnew(Exception):
    """Somebody wants a topic made anew."""


async def make_anew(lead: Leadership, bootstrap: str, partitions: int, replication: int) -> None:
    """Make the topics anew that somebody asked for; nothing where nobody did. Raises BrokerAway, LeadLost."""
    asked = await lead.republications()
    if not asked:
        return
    for topic, doomed in asked.items():
        _log.warning("relay_makes_a_topic_anew", topic=topic)
        await asyncio.to_thread(_delete, bootstrap, topic, doomed)
    try:
        await asyncio.to_thread(make_topics, bootstrap, partitions, replication)
    except LocalProblem as error:
        raise BrokerAway(str(error)) from error
    for topic in asked:
        await lead.begin_anew(topic)


def _delete(bootstrap: str, topic: str, doomed: UUID) -> None:
    """Delete the topic if it is still the one with this id, and wait until it is gone."""
    try:
        servers = somebody_listens(bootstrap)
        if not _is_there(servers, topic, doomed):
            return
        admin = connected(KafkaAdminClient, servers, client_id="intabaza-relay-topics")
        try:
            # by its id: by its name it could be one that another leader has made meanwhile
            with suppress(UnknownTopicOrPartitionError, UnknownTopicIdError):
                admin.delete_topics([doomed])
        finally:
            admin.close()
        deadline = time.monotonic() + GONE_SECONDS
        while _is_there(servers, topic, doomed):
            if time.monotonic() > deadline:
                raise BrokerAway(f"{topic} was deleted and is still there")
            time.sleep(0.05)
    except (KafkaError, OSError) as error:
        raise BrokerAway(f"{topic} could not be made anew ({type(error).__name__}: {error})") from error


def _is_there(servers: Sequence[str], topic: str, topic_id: UUID) -> bool:
    found = look_up_topics(servers, [topic], "intabaza-relay-topics").get(topic)
    return found is not None and found.topic_id == topic_id
