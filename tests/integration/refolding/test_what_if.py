"""Two rule sets over a history on Kafka: the same answer by one process or several, up to where it was asked for."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from kafka import KafkaProducer

from events.vocabulary import wire_time
from projections.alert_level.rules import Rules
from projections.taken import Taken, take
from services.local.kafka import KafkaServer
from services.local.topics import EVENTS
from services.log.record import Link
from services.moments import BeforeTheLog, BeyondTheLog, Named
from services.processors.errors import Halt
from services.what_if import reading
from services.what_if.comparing import Side, compare
from services.what_if.folding import fold_twice
from services.what_if.reading import NothingToCompare, WhatIf, what_if
from tests.integration.refolding.conftest import PARTITIONS
from tests.support.crisis import Written, crisis, engine
from tests.support.feeding import Feeder
from tests.support.levels import FIRST_RULES

WAITED_SECONDS = 120
LOWER = FIRST_RULES.replace("[4000, 15000, 35000, 80000]", "[3000, 9000, 20000, 50000]").replace(
    "[2500, 11000, 27000, 60000]", "[2000, 7000, 15000, 40000]"
)


def _history() -> list[Written]:
    """A crisis whose levels are said: in the third place stands the engine that speaks."""
    whole = list(crisis(1_500, living=40, per_day=100, reference=True))
    return [*whole[:2], engine(3, whole[2].recorded_at), *whole[3:]]


HISTORY = _history()


@pytest.fixture(autouse=True)
def processes_are_worth_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SMALL", 0)


async def asked(kafka: KafkaServer, named: Named | None = None, processes: int = 1, text: str = LOWER) -> WhatIf:
    return await what_if(kafka.bootstrap, EVENTS, text, named, 3, processes)


def in_memory(events: Sequence[Written], until: str) -> object:
    taken: list[Taken] = [take(one.wire()) for one in events]
    kept, rules = fold_twice(lambda: [taken], LOWER, until), Rules(LOWER)
    return compare(kept, rules.day(kept.rules[0].recorded_at), rules.day(until), 3)


async def test_one_two_and_three_processes_say_what_a_fold_in_memory_says(feeder: Feeder, kafka: KafkaServer) -> None:
    records = feeder.feed(HISTORY)
    expected = in_memory(HISTORY, wire_time(HISTORY[-1].recorded_at))
    for processes in (1, 2, 3):
        told: list[tuple[int, int]] = []
        answer = await what_if(kafka.bootstrap, EVENTS, LOWER, None, 3, processes, lambda *far, to=told: to.append(far))
        assert answer.compared == expected
        assert told == sorted(told)
        assert told[-1] == (records, records)
    assert not multiprocessing.active_children()
    assert answer.moment.position == HISTORY[-1].position
    compared = answer.compared
    assert compared.differences
    assert compared.warned
    assert compared.alert_days(Side.OTHER) > compared.alert_days(Side.ADOPTED) > 0


async def test_it_is_asked_up_to_a_position_or_an_instant(feeder: Feeder, kafka: KafkaServer) -> None:
    feeder.feed(HISTORY)
    last = HISTORY[700]
    up_to = await asked(kafka, last.position, 2)
    assert up_to.compared == in_memory(HISTORY[:701], wire_time(last.recorded_at))
    assert up_to.moment.position == last.position
    later = last.recorded_at + timedelta(seconds=1)
    instant = await asked(kafka, later)
    assert instant.moment.position == last.position
    assert instant.compared == in_memory(HISTORY[:701], wire_time(later))


async def test_a_rule_set_against_itself_differs_in_nothing(feeder: Feeder, kafka: KafkaServer) -> None:
    feeder.feed(HISTORY)
    compared = (await asked(kafka, text=FIRST_RULES)).compared
    assert compared.alert_days(Side.ADOPTED) > 0
    assert not compared.differences


async def test_a_partition_may_end_with_what_is_no_record(feeder: Feeder, kafka: KafkaServer) -> None:
    """Such as the marker of a transaction, which somebody else wrote there and which has an offset."""
    feeder.feed(HISTORY)
    expected = (await asked(kafka)).compared
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id="somebody else")
    producer.init_transactions()
    producer.begin_transaction()
    for partition in range(PARTITIONS):
        producer.send(EVENTS, b"{}", partition=partition)
    producer.commit_transaction()
    producer.close()
    async with asyncio.timeout(WAITED_SECONDS):
        assert (await asked(kafka, processes=PARTITIONS)).compared == expected


async def test_what_cannot_be_asked_is_told(feeder: Feeder, kafka: KafkaServer) -> None:
    with pytest.raises(NothingToCompare, match="The log is empty"):
        await asked(kafka)
    feeder.feed(HISTORY)
    with pytest.raises(NothingToCompare, match="No rule set was adopted up to position 1,"):
        await asked(kafka, 1)
    with pytest.raises(BeforeTheLog):
        await asked(kafka, HISTORY[0].recorded_at - timedelta(seconds=1))
    with pytest.raises(BeyondTheLog):
        await asked(kafka, 10**6)


async def test_a_log_that_lacks_something_is_not_compared(feeder: Feeder, kafka: KafkaServer) -> None:
    feeder.feed(HISTORY)
    feeder.record(1, "nowhere", replace(HISTORY[-1], position=5_000).wire(), Link(5_000, 4_999))
    feeder.feed([])
    with pytest.raises(Halt, match="position 5000 says that 4999 stands before it"):
        await asked(kafka, processes=3)
    assert not multiprocessing.active_children()
