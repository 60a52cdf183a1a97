"""A topic filled with a crisis as the relay would have sent it: each process writes the partitions that are its own."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

from kafka import KafkaProducer

from services.local.topics import EVENTS
from services.log.partition import partition_of
from services.log.record import Link
from tests.support.crisis import crisis

PROCESSES = 2


PER_DAY = 20_000


def fill(bootstrap: str, events: int, partitions: int, topic: str = EVENTS, per_day: int = PER_DAY) -> float:
    """Send so many events, `per_day` a day, and wait until the broker has them; returns how many a second."""
    started = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        shares = [range(first, partitions, PROCESSES) for first in range(PROCESSES)]
        for done in [pool.submit(send, bootstrap, events, partitions, share, topic, per_day) for share in shares]:
            done.result()
    return events / (time.perf_counter() - started)


def send(bootstrap: str, events: int, partitions: int, share: range, topic: str, per_day: int) -> None:
    """Send what belongs to some of the partitions; a chain is of one partition, so nobody else is needed."""
    producer = KafkaProducer(bootstrap_servers=bootstrap.split(","), linger_ms=20, batch_size=500_000)
    last = dict.fromkeys(share, 0)

    def is_ours(home: str) -> bool:
        return partition_of(home, partitions) in share

    for event in crisis(events, wanted=is_ours, reference=True, per_day=per_day):
        wire, key = event.wire(), event.home.encode()
        for number in share if event.is_broadcast else (partition_of(event.home, partitions),):
            headers = Link(event.position, last[number]).headers()
            producer.send(topic, wire, key, headers, partition=number)
            last[number] = event.position
    producer.flush()
    producer.close()
