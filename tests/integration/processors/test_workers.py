"""What a worker process does when something that it needs is gone, wrong or made anew, and when it is asked to end."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer, TopicPartition

from events.vocabulary import EVERY_HOME
from services.local.topics import EVENTS
from services.log.record import Link
from tests.support.feeds import Feed, Feeding, history
from tests.support.lossy_wire import lossy_wire
from tests.support.odd_records import TOLD, batch_of, put

if TYPE_CHECKING:
    from services.local.kafka import KafkaServer
    from services.local.postgres import PostgresServer
    from tests.support.working import WorkerProcess, WorkTrial

END_SECONDS = 20.0
"""At once, on a machine that is busy; who waited for a broker or a database would take twice as long or for ever."""


async def fed(work: WorkTrial, events: int = 1_000) -> None:
    work.feed.send(one for _, one in zip(range(events), history(), strict=False))


async def the_end(worker: WorkerProcess) -> tuple[int, str]:
    """Its status and its last line, which is the sentence for whoever looks."""
    status = await worker.ended(60)
    return status, worker.said.splitlines()[-1]


async def test_a_gap_ends_the_worker_with_a_sentence_after_it_looked_twice(work: WorkTrial) -> None:
    await fed(work)
    last = work.feed.last[2]
    with work.worker() as worker:
        await work.all_folded()
        work.feed.record(2, "x", b"{}", Link(last + 200, last + 100))
        work.feed._producer.flush()
        status, sentence = await the_end(worker)
        assert status == 1
        assert f"position {last + 200} says that {last + 100} stands before it, and {last} does" in sentence
        assert "intabaza relay status" in sentence
        assert worker.said.count('"the worker stops"') == 1
        assert worker.said.count('"a partition is read again"') == 1
        worker.start()  # and again where it is started again
        assert (await the_end(worker))[0] == 1
    await work.assert_exact()


async def test_foreign_records_are_passed_over_counted_and_told(work: WorkTrial, kafka: KafkaServer) -> None:
    await fed(work, 500)
    before = work.feed.last[1]
    for headers in ([], Link(before + 1, before).headers()[1:], [*Link(before + 1, before).headers(), ("x", b"y")]):
        work.feed._producer.send(EVENTS, b"{}", b"x", headers, partition=1)
    work.feed._producer.flush()
    work.feed.send([one for _, one in zip(range(1_000), history(), strict=False)][500:])
    with work.worker() as worker:
        await work.all_folded()
        await until(lambda: "intabaza_foreign_records_total 3.0" in worker.metrics)
        told = [json.loads(line) for line in worker.said.splitlines() if '"foreign records"' in line]
        assert sum(one["count"] for one in told) == 3
        for _ in range(5):  # at the very end, with nothing of ours behind them
            work.feed._producer.send(EVENTS, b"{}", b"x", [], partition=2)
        work.feed.record(3, "x", b"{}", Link(work.feed.last[3], 1))
        work.feed._producer.flush()
        await until(lambda: "intabaza_foreign_records_total 8.0" in worker.metrics)
        await put(kafka.bootstrap, TopicPartition(EVENTS, 2), batch_of([(b"x", b"{}", [(TOLD, b"y")])]))
        packing = KafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type="lz4")
        packing.send(EVENTS, b"{}", b"x", partition=2).get(30)
        packing.close()
        await until(lambda: "intabaza_foreign_records_total 10.0" in worker.metrics)
        await until(lambda: lag(worker) == [0.0] * 12)
    await work.assert_exact()


def lag(worker: WorkerProcess) -> list[float]:
    """What it tells of each projection and partition."""
    lines = worker.metrics.splitlines()
    return [float(line.split()[-1]) for line in lines if line.startswith("intabaza_projection_lag_records{")]


async def test_a_topic_made_anew_under_a_worker_and_sent_again_is_read_on_by_position(
    work: WorkTrial, kafka: KafkaServer
) -> None:
    from tests.support.relays import empty_topics
    from tests.support.working import PARTITIONS

    events = [one for _, one in zip(range(1_500), history(), strict=False)]
    work.feed.send(events[:1_000], twice=True)
    with work.worker("one") as worker:
        await work.all_folded()
        worker.kill()
        with work.feed.away():
            await asyncio.to_thread(empty_topics, kafka.bootstrap, PARTITIONS)
        again = Feed(kafka.bootstrap, PARTITIONS)
        work.feed.last = again.last
        again.send(events)
        again.close()
        worker.start()
        await work.all_folded()
    await work.assert_exact(again.history)


async def test_wrong_offsets_are_only_a_hint(work: WorkTrial) -> None:
    events = [one for _, one in zip(range(1_500), history(), strict=False)]
    for begin in range(0, 1_000, 50):
        work.feed.send(events[begin : begin + 50], twice=begin % 200 == 0)
    with work.worker("one"):
        await work.all_folded()
    await work.pool.execute("update projections.watermark set next_offset = next_offset + (partition - 2) * 90")
    work.feed.send(events[1_000:])
    with work.worker("one"):
        await work.all_folded()
    await work.assert_exact()


@pytest.fixture
async def killable(kafka: KafkaServer, durable_postgres: PostgresServer) -> AsyncIterator[WorkTrial]:
    """A trial on a database server of its own."""
    from services.database.migrate import migrate
    from tests.support.working import work_trial

    await migrate(durable_postgres.dsn())
    async with work_trial(kafka, durable_postgres.dsn(), durable_postgres.dsn(user="intabaza_projector")) as each:
        yield each


async def test_a_worker_outlives_a_postgres_that_is_killed(
    killable: WorkTrial, durable_postgres: PostgresServer
) -> None:
    with Feeding(killable.feed, history()), killable.worker() as worker:
        for _ in range(3):
            await killable.goes_on()
            durable_postgres.kill()
            await worker.says("cannot be begun yet")
            durable_postgres.start()
        await killable.goes_on()
    with killable.worker():
        await killable.all_folded()
    await killable.assert_exact()


async def test_a_postgres_that_is_away_is_waited_for_without_spinning_or_growing(
    work: WorkTrial, postgres: PostgresServer, fresh_database: str
) -> None:
    import psutil

    async with lossy_wire(postgres.dsn(fresh_database, "intabaza_projector")) as (wire, dsn):
        with Feeding(work.feed, history()), work.worker("one", dsn) as worker:
            await work.goes_on()
            wire.deaf()
            wire.cut()
            await until(lambda: "intabaza_processor_waits 1.0" in worker.metrics)
            assert worker.process is not None
            behind = sum(lag(worker))
            await until(lambda: sum(lag(worker)) > behind + 300)  # what comes meanwhile is behind as well
            process = psutil.Process(worker.process.pid)
            cpu, memory = sum(process.cpu_times()[:2]), process.memory_info().rss
            began = time.monotonic()
            await until(lambda: time.monotonic() - began > 12)  # twice the longest pause between two tries
            assert sum(process.cpu_times()[:2]) - cpu < 3
            assert process.memory_info().rss - memory < 30_000_000
            assert worker.said.count("\n") < 40
            await wire.listen()
            await work.goes_on()  # in the group still, or again
            wire.deaf()
            wire.cut()
            await until(lambda: "intabaza_processor_waits 1.0" in worker.metrics)
            worker.signal(signal.SIGTERM)
            began = time.monotonic()
            assert await worker.ended() == 0, worker.said
            assert time.monotonic() - began < END_SECONDS
    with work.worker("one"):
        await work.all_folded()
    await work.assert_exact()


async def test_a_worker_that_was_frozen_until_the_group_let_go_of_it_comes_back(
    work: WorkTrial, kafka: KafkaServer
) -> None:
    with Feeding(work.feed, history()), work.worker("one") as worker:
        await work.goes_on()
        await until(lambda: members_of(kafka, work.group) == 1)
        worker.signal(signal.SIGSTOP)
        await until(lambda: members_of(kafka, work.group) == 0)
        worker.signal(signal.SIGCONT)
        await until(lambda: members_of(kafka, work.group) == 1)
        await work.goes_on()
        assert worker.runs
    with work.worker("one"):
        await work.all_folded()
    await work.assert_exact()


def members_of(kafka: KafkaServer, group: str) -> int:
    """How many members the broker says that a group has."""
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    try:
        return len(admin.describe_groups([group])[group]["members"])
    finally:
        admin.close()


async def test_a_worker_that_is_asked_to_end_does_so_at_once_with_its_work_committed(work: WorkTrial) -> None:
    with Feeding(work.feed, history()), work.worker() as worker:
        await work.goes_on()
        worker.signal(signal.SIGTERM)
        began = time.monotonic()
        assert await worker.ended() == 0, worker.said
        assert time.monotonic() - began < END_SECONDS


async def test_a_worker_without_a_broker_ends_at_once_too(work: WorkTrial, kafka: KafkaServer) -> None:
    with work.worker() as worker:
        await until(lambda: worker.partitions() == 4)
        with work.feed.away():
            kafka.kill()
            try:
                worker.signal(signal.SIGTERM)
                began = time.monotonic()
                assert await worker.ended() == 0, worker.said
                assert time.monotonic() - began < END_SECONDS
            finally:
                kafka.start()


async def test_lag_and_positions_are_told_and_nothing_of_what_events_hold(work: WorkTrial) -> None:
    await fed(work)
    with work.worker() as worker:
        await work.all_folded()
        wanted = f'intabaza_projection_position{{partition="0",projection="tally"}} {float(work.feed.last[0])}'
        await until(lambda: wanted in worker.metrics)
        told = worker.metrics
        assert told.count('intabaza_projection_lag_records{partition="') == 12
        assert 'intabaza_projection_lag_records{partition="0",projection="tally"} 0.0' in told
        records = sum(4 if one.home == EVERY_HOME else 1 for one in work.feed.sent)
        for sensor in ("_messages_received_total", "_total_events_total"):
            [counted] = [line.split()[-1] for line in told.splitlines() if line.split()[0].endswith(sensor)]
            assert float(counted) >= records, sensor
        for line in worker.said.splitlines():
            assert line.startswith("{"), line
        assert "report/" not in worker.said
        assert "case/" not in worker.said


async def until(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - another process is asked
            await asyncio.sleep(0.05)
