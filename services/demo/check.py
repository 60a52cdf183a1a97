"""Afterwards: is every acknowledged command on Kafka, and is every projection what Kafka makes of it?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import orjson
from kafka import KafkaConsumer, TopicPartition

from projections.live import LIVE
from services.demo.door import Acknowledged
from services.local.addresses import Addresses
from services.local.topics import EVENTS
from services.log.clients import connected
from services.processors.replay import Replayed, replay

POLL_MILLISECONDS = 500
QUIET_SECONDS = 60.0
LOOK_SECONDS = 0.1

BEHIND = """
select count(*)
from unnest($1::integer[], $2::bigint[]) as log (partition, position)
cross join unnest($3::text[]) as live (place)
left join projections.watermark as mark on mark.place = live.place and mark.partition = log.partition
where coalesce(mark.last_position, 0) < log.position
"""
"""How many projections have not folded some partition to its end, also where they have not begun with it."""
HEADS = """
select coalesce((select position from ledger.event order by position desc limit 1), 0) as head,
    relay.acknowledged() as on_kafka
"""


@dataclass(frozen=True, slots=True)
class OnKafka:
    """What stands on events.v1: each position's event, and the last position of each partition; what is wrong there."""

    events: Mapping[int, str]
    ends: Mapping[int, int]
    records: int
    faults: Sequence[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; good where `faults` is empty."""

    records: int
    events: int
    projections: Mapping[str, Replayed]
    faults: list[str] = field(default_factory=list)


async def check(
    addresses: Addresses, acknowledged: Sequence[Acknowledged], say: Callable[[str], None] = lambda _: None
) -> Verdict:
    """Look at both; what is wrong is told, all of it."""
    say("Waiting until everything is on Kafka and folded.")
    unsettled, kafka = await _settle(addresses)
    faults = list(unsettled) + list(kafka.faults) + missing(acknowledged, kafka.events)
    replays: dict[str, Replayed] = {}
    for one in LIVE:
        say(f"Replaying {one.name} from Kafka.")
        replays[one.name] = await replay(addresses.projector_dsn, addresses.bootstrap, EVENTS, one, 2, True)
        if replays[one.name].differing:
            faults.append(_differs(one.name, replays[one.name]))
    return Verdict(kafka.records, len(kafka.events), replays, faults)


def missing(acknowledged: Sequence[Acknowledged], events: Mapping[int, str]) -> list[str]:
    """Acknowledged commands that are not on Kafka as they were acknowledged."""
    faults = []
    for command in acknowledged:
        for event_id, position in command.events:
            if position not in events:
                faults.append(
                    f"The command {command.name} was acknowledged at position {position}, which is not on Kafka."
                )
            elif events[position] != str(event_id):
                told = f"The command {command.name} was acknowledged at position {position}"
                faults.append(f"{told}, where Kafka has another event.")
    return faults


def _differs(name: str, replayed: Replayed) -> str:
    rows = [f"  missing: {row[:160]}" for row in replayed.missing[:3]]
    rows += [f"  surplus: {row[:160]}" for row in replayed.surplus[:3]]
    return "\n".join([f"{name} differs from its replay in {replayed.differing} rows:", *rows])


async def _settle(addresses: Addresses) -> tuple[Sequence[str], OnKafka]:
    """Wait until the log stands still: all of the ledger on Kafka, all of Kafka in every projection."""
    deadline = time.monotonic() + QUIET_SECONDS
    names = [one.name for one in LIVE]
    connection = await asyncpg.connect(addresses.app_dsn)
    try:
        while True:
            head, on_kafka = await _heads(connection)
            why = f"The ledger ends at position {head} and Kafka at {on_kafka}: the relay did not send the rest."
            late = time.monotonic() > deadline
            if head == on_kafka or late:
                kafka = await asyncio.to_thread(read_kafka, addresses.bootstrap)
                if head == on_kafka:
                    why = "Some projection is still behind Kafka: see the processors' log."
                    behind = await connection.fetchval(BEHIND, list(kafka.ends), list(kafka.ends.values()), names)
                    if not behind and await _heads(connection) == (head, on_kafka):
                        return [], kafka
                if late:
                    return [why], kafka
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await connection.close()


async def _heads(connection: asyncpg.Connection[asyncpg.Record]) -> tuple[int, int]:
    """The last position of the ledger, and up to which everything is on Kafka."""
    row = await connection.fetchrow(HEADS)
    return (row["head"], row["on_kafka"]) if row else (0, 0)


def read_kafka(bootstrap: str) -> OnKafka:
    """Read events.v1 from its beginning, without a group, by the reading rule of the contract."""
    consumer = connected(KafkaConsumer, bootstrap, group_id=None, max_poll_records=5_000)
    try:
        partitions = [TopicPartition(EVENTS, one) for one in sorted(consumer.partitions_for_topic(EVENTS) or ())]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        events: dict[int, str] = {}
        last: dict[int, int] = {one.partition: 0 for one in partitions}
        faults: list[str] = []
        records = 0
        while any(consumer.position(one) < ends[one] for one in partitions):
            for at, batch in consumer.poll(timeout_ms=POLL_MILLISECONDS).items():
                for record in batch:
                    records += 1
                    headers = dict(record.headers)
                    position, previous = int(headers["position"]), int(headers["previous"])
                    if position <= last[at.partition]:
                        continue
                    if previous != last[at.partition]:
                        faults.append(f"Partition {at.partition} is broken before position {position}.")
                    last[at.partition] = position
                    events[position] = orjson.loads(record.value)["id"]
        return OnKafka(events, last, records, faults)
    finally:
        consumer.close()
