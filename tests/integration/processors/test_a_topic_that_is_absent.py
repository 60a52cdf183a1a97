"""A topic that does not exist is named, with what to do; a worker waits for it and then reads it."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient

from services.local.topics import ALERTS, EVENTS
from services.log.topic import TopicAbsent
from services.processors.places import Places
from tests.support.feeds import history
from tests.support.relays import empty_topics
from tests.support.working import PARTITIONS

if TYPE_CHECKING:
    from services.local.kafka import KafkaServer
    from tests.support.working import WorkTrial


def delete_topics(bootstrap: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.delete_topics([EVENTS, ALERTS])
    while {EVENTS, ALERTS} & set(admin.list_topics()):
        pass
    admin.close()


async def test_it_is_named_and_waited_for(kafka: KafkaServer, work: WorkTrial) -> None:
    await asyncio.to_thread(delete_topics, kafka.bootstrap)
    said = f"There is no topic {EVENTS} on the Kafka at {kafka.bootstrap}: `intabaza up` makes it"
    with pytest.raises(TopicAbsent, match=said):
        Places(kafka.bootstrap, EVENTS)
    with work.worker("alone") as worker:
        await worker.says(said)
        await asyncio.to_thread(empty_topics, kafka.bootstrap, PARTITIONS)
        await asyncio.to_thread(work.feed.send, list(islice(history(), 300)))
        await work.all_folded()
        await work.assert_exact()
