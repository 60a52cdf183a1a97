"""A worker goes on by itself when its topic comes back, however long it was away and whoever was started meanwhile."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING

from kafka import KafkaAdminClient

from services.local.topics import ALERTS, EVENTS, make_topics
from tests.support.feeds import Feed, history
from tests.support.working import PARTITIONS

if TYPE_CHECKING:
    from services.local.kafka import KafkaServer
    from tests.support.crisis import Written
    from tests.support.working import WorkerProcess, WorkTrial

GOES_ON_SECONDS = 60


def delete_topics(bootstrap: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.delete_topics([EVENTS, ALERTS])
        while {EVENTS, ALERTS} & set(admin.list_topics()):
            pass
    finally:
        admin.close()


def sent_again(work: WorkTrial, kafka: KafkaServer, events: list[Written]) -> Feed:
    """The topic as the relay would make it anew, with everything in it."""
    make_topics(kafka.bootstrap, PARTITIONS, 1)
    again = Feed(kafka.bootstrap, PARTITIONS)
    again.send(events)
    again.close()
    work.feed.last = again.last
    return again


async def goes_on(work: WorkTrial, worker: WorkerProcess) -> None:
    try:
        await work.all_folded(GOES_ON_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{worker.said}") from None


async def without_partitions(worker: WorkerProcess, seconds: float = 60) -> None:
    try:
        async with asyncio.timeout(seconds):
            while await asyncio.to_thread(worker.partitions):  # noqa: ASYNC110 - another process is asked
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(worker.said) from None


async def test_a_worker_that_lost_its_partitions_has_them_again(work: WorkTrial, kafka: KafkaServer) -> None:
    events = list(islice(history(), 1_500))
    work.feed.send(events[:1_000], twice=True)
    with work.worker("one") as worker:
        await work.all_folded()
        with work.feed.away():
            await asyncio.to_thread(delete_topics, kafka.bootstrap)
        await without_partitions(worker)
        again = await asyncio.to_thread(sent_again, work, kafka, events)
        await goes_on(work, worker)
        assert worker.runs
    await work.assert_exact(again.history)


async def test_a_worker_that_is_started_again_before_the_group_noticed_has_them_too(
    work: WorkTrial, kafka: KafkaServer
) -> None:
    events = list(islice(history(), 1_500))
    work.feed.send(events[:1_000])
    with work.worker("one") as worker:
        await work.all_folded()
        with work.feed.away():
            await asyncio.to_thread(delete_topics, kafka.bootstrap)
        await without_partitions(worker)
        worker.kill()  # within its session the group gives whoever comes under its name what it had: nothing
        again = await asyncio.to_thread(sent_again, work, kafka, events)
        worker.start()
        await goes_on(work, worker)
    await work.assert_exact(again.history)


async def test_a_topic_that_is_replaced_under_a_running_worker_is_read_on_by_position(
    work: WorkTrial, kafka: KafkaServer
) -> None:
    events = list(islice(history(), 1_500))
    work.feed.send(events[:1_000], twice=True)
    with work.worker("one") as worker:
        await work.all_folded()
        with work.feed.away():
            await asyncio.to_thread(delete_topics, kafka.bootstrap)
            again = await asyncio.to_thread(sent_again, work, kafka, events)
        await goes_on(work, worker)
        assert worker.runs
    await work.assert_exact(again.history)
