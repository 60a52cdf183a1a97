"""The start procedure: how Kafka ends, compared with the ledger byte for byte, and from where to go on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog
from kafka import TopicPartition

from services.ledger.ledger import Ledger
from services.local.topics import ALERTS, EVENTS
from services.relay.chain import Place, targets
from services.relay.halts import Forked, KafkaKnowsMore
from services.relay.leader import Leadership, known_places
from services.relay.tail import Found, Tail, read_tails

LOOK_BACK = 5_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where every partition ends, and the position after which the ledger is read on."""

    topic_ids: Mapping[str, UUID]
    places: dict[TopicPartition, Place]
    after_position: int


async def find_standing(bootstrap: str, partitions: int, ledger: Ledger, lead: Leadership) -> Standing:
    """Read, compare, and say from where to go on; raises Halt, BrokerAway, LeadLost or LedgerUnavailable."""
    saved, acknowledged = await lead.saved(), await lead.acknowledged()
    tails = await asyncio.to_thread(
        read_tails, bootstrap, partitions, lambda ids: known_places(saved, ids), _tell_of_a_long_reading
    )
    for foreign in tails.foreign:
        if await lead.note_foreign(tails.topic_ids, foreign):
            _log.error(
                "relay_foreign_record",
                topic=foreign.at.topic,
                partition=foreign.at.partition,
                offset=foreign.offset,
                hint="somebody else writes to this topic: it is passed over, find out who",
            )
    after = acknowledged
    for at, tail in tails.by_partition.items():
        known = saved[at][1].last_position if at in saved else 0
        await _compare(ledger, lead, partitions, tail, known)
        if tail.place.last_position < known:
            _log.error(
                "relay_kafka_lost_its_tail",
                topic=at.topic,
                partition=at.partition,
                acknowledged=known,
                holds=tail.place.last_position,
                hint="the broker lost what it had acknowledged: it is sent again from there",
            )
        if at not in saved or tail.place.last_position < known:
            after = min(after, tail.place.last_position)
    return Standing(tails.topic_ids, {at: tail.place for at, tail in tails.by_partition.items()}, after)


async def _compare(ledger: Ledger, lead: Leadership, partitions: int, tail: Tail, known: int) -> None:
    for found in (tail.found, tail.repeat):
        if found is not None:
            await _compare_bytes(ledger, partitions, found)
    if tail.found is not None and (tail.from_the_beginning or tail.found.link.position != known):
        before = await _before(lead, partitions, tail.found)
        if before != tail.found.link.previous:
            raise Forked(
                tail.found.at,
                tail.found.offset,
                f"position {tail.found.link.position} follows {tail.found.link.previous} there, and by the ledger it "
                f"follows {before}",
            )


async def _compare_bytes(ledger: Ledger, partitions: int, found: Found) -> None:
    position = found.link.position
    rows = await ledger.read(position - 1, 1)
    if not rows or rows[0].position != position:
        raise KafkaKnowsMore(found.at, found.offset, position, "the ledger does not have it")
    if rows[0].wire() != found.value:
        raise KafkaKnowsMore(found.at, found.offset, position, "the ledger has another event there")
    if found.at not in _targets(partitions, rows[0].home, rows[0].type):
        raise Forked(found.at, found.offset, f"position {position} belongs to another partition")


async def _before(lead: Leadership, partitions: int, found: Found) -> int:
    """The position before a record in its partition, by the ledger."""
    position = found.link.position
    while True:
        rows = await lead.before(position, alerts=found.at.topic == ALERTS, limit=LOOK_BACK)
        if not rows:
            return 0
        for position, home, event_type in rows:
            if found.at in _targets(partitions, home, event_type):
                return position


def _targets(partitions: int, home: str, event_type: str) -> list[TopicPartition]:
    everywhere = [TopicPartition(EVENTS, number) for number in range(partitions)]
    return targets(home, event_type, everywhere, [TopicPartition(ALERTS, number) for number in range(partitions)])


def _tell_of_a_long_reading(at: TopicPartition, offset: int, end: int) -> None:
    if end - offset > 100_000 and offset % 50_000 < 5_000:
        _log.info("relay_reads_the_whole_partition", topic=at.topic, partition=at.partition, offset=offset, end=end)
