"""A broker that dies, loses what it had acknowledged, or holds what is not ours: never a silent gap."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer

from services.ledger.ledger import DoorShut
from services.local.topics import EVENTS
from services.log.record import Link
from tests.support.ledgers import note
from tests.support.relays import HOMES, PARTITIONS
from tests.support.topics import BrokenChain, end_offsets

if TYPE_CHECKING:
    from tests.support.relays import RelayTrial


async def send_by_somebody_else(trial: RelayTrial, *records: tuple[bytes, list[tuple[str, bytes]]]) -> None:
    """Somebody else produces to partition 0."""

    def send() -> None:
        producer = KafkaProducer(bootstrap_servers=trial.bootstrap)
        for value, headers in records:
            producer.send(EVENTS, value, key=b"k", headers=headers, partition=0).get(timeout=30)
        producer.close()

    await asyncio.to_thread(send)


async def lose_the_tail(trial: RelayTrial, batches: int) -> dict[int, int]:
    """Kill the broker, cut the last batches of each partition, start it; how many records each partition lost."""
    before = await asyncio.to_thread(end_offsets, trial.bootstrap, EVENTS)
    await asyncio.to_thread(trial.kafka.kill)
    for number in range(PARTITIONS):
        trial.cut(number, batches)
    await asyncio.to_thread(trial.kafka.start)
    after = await asyncio.to_thread(end_offsets, trial.bootstrap, EVENTS)
    return {number: before[number] - after[number] for number in before}


async def relay_in_small_batches(trial: RelayTrial, batches: int) -> None:
    for _ in range(batches):
        await trial.until_acknowledged(await trial.append(16))


async def test_a_tail_that_is_lost_while_the_relay_is_dead_is_sent_again(trial: RelayTrial) -> None:
    async with trial.relaying():
        await relay_in_small_batches(trial, 8)
    lost = await lose_the_tail(trial, 3)
    assert min(lost.values()) > 0, "nothing was cut, so this showed nothing"
    with pytest.raises(AssertionError):
        await trial.assert_whole()
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(16))
    assert (await trial.assert_whole()).repeats == []


@pytest.mark.parametrize("batches", [1, 3, 100])
async def test_a_tail_that_is_lost_while_the_relay_lives_is_sent_again_and_never_forks(
    trial: RelayTrial, batches: int
) -> None:
    async with trial.relaying():
        await relay_in_small_batches(trial, 8)
        lost = await lose_the_tail(trial, batches)
        assert min(lost.values()) > 0, "nothing was cut, so this showed nothing"
        await trial.until_acknowledged(await trial.append(16))
        assert (await trial.assert_whole()).repeats == []


async def test_a_tail_that_is_lost_under_load_is_sent_again_and_never_forks(trial: RelayTrial) -> None:
    async with trial.relaying():
        async with trial.under_load():
            for _ in range(2):
                await trial.until_acknowledged(await trial.acknowledged() + 300)
                await lose_the_tail(trial, 2)
            await trial.until_acknowledged((await trial.ledger.head()).position + 1)
        await trial.until_acknowledged((await trial.ledger.head()).position)
    await trial.assert_whole()


async def test_a_partition_that_does_not_continue_its_chain_halts_the_relay_with_the_mend(trial: RelayTrial) -> None:
    async with trial.relaying():
        await relay_in_small_batches(trial, 8)
    [last, *_] = sorted((await trial.assert_whole()).positions(0), reverse=True)
    before = await asyncio.to_thread(end_offsets, trial.bootstrap, EVENTS)
    await lose_the_tail(trial, 2)
    # what a producer does that lives on over the loss: it continues a chain whose end is no more
    row = (await trial.ledger.read(await trial.append(1, homes=HOMES) - 1, 1))[0]
    await send_by_somebody_else(trial, (row.wire(), Link(row.position, last).headers()))
    cut = (await asyncio.to_thread(end_offsets, trial.bootstrap, EVENTS))[0] - 1
    assert cut < before[0]

    async with trial.relaying():
        sentence = await trial.halted()
        assert sentence.startswith(f"{EVENTS} partition 0 has forked at offset {cut}: position {row.position} follows")
        assert "intabaza relay republish" in sentence
        await trial.append(20)
        assert (await asyncio.to_thread(end_offsets, trial.bootstrap, EVENTS))[0] == cut + 1, "it sent on"
    with pytest.raises(BrokenChain):
        await asyncio.to_thread(trial.read)


@pytest.mark.parametrize("what", ["a position beyond the head", "other bytes"])
async def test_where_kafka_knows_more_than_the_ledger_the_door_is_shut_until_they_agree(
    trial: RelayTrial, what: str
) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(64))
    last = max((await trial.assert_whole()).positions(0))
    head = (await trial.ledger.head()).position
    if what == "other bytes":
        # the ledger lost its end and was given other events at the same positions
        value, link = b'{"another":"event"}', Link(head + 1, last)
        await trial.append(1)
    else:
        value, link = b'{"lost":"event"}', Link(head + 1, last)
    await send_by_somebody_else(trial, (value, link.headers()))

    async with trial.relaying():
        sentence = await trial.halted()
        assert f"holds position {head + 1} at offset" in sentence
        with pytest.raises(DoorShut, match="until the ledger is restored from it"):
            await trial.ledger.append(note())
        assert await trial.owner.fetchval("select door_shut_because from ledger.state") == sentence

    # the restore, as far as the relay can see it: what Kafka holds more is in the ledger (here: the topics are new)
    await asyncio.to_thread(trial.empty_topics)
    await trial.owner.execute("delete from relay.partition")
    async with trial.relaying():
        await trial.until("select door_shut_because is null from ledger.state")
        await trial.until_acknowledged(await trial.append(3))
    await trial.owner.execute("update relay.progress set acknowledged = 0")


async def test_a_door_that_somebody_else_shut_stays_shut(trial: RelayTrial) -> None:
    await trial.ledger.shut_door("an operator says so")
    async with trial.relaying():
        await trial.until("select count(*) > 0 from relay.partition")
    with pytest.raises(DoorShut, match="an operator says so"):
        await trial.append(1)


async def test_foreign_records_are_noted_once_by_their_place_and_passed_over(trial: RelayTrial) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(32))
        places = await asyncio.to_thread(end_offsets, trial.bootstrap, EVENTS)
        await send_by_somebody_else(
            trial, (b"strange", []), (b"stranger", [("position", b"x"), ("previous", b"1"), ("content-type", b"y")])
        )
        await trial.until_acknowledged(await trial.append(32))
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(32))
    read = await trial.assert_whole(foreign=True)
    assert read.foreign == [(0, places[0]), (0, places[0] + 1)]
    noted = await trial.owner.fetch("select * from relay.foreign_record order by record_offset")
    assert [(row["partition"], row["record_offset"], row["bytes"]) for row in noted] == [
        (0, places[0], 7),
        (0, places[0] + 1, 8),
    ]


async def test_a_broker_that_is_killed_and_started_under_load_costs_lag_and_nothing_else(trial: RelayTrial) -> None:
    async with trial.relaying():
        async with trial.under_load():
            for _ in range(2):
                await trial.until_acknowledged(await trial.acknowledged() + 200)
                await asyncio.to_thread(trial.kafka.kill)
                away = await trial.acknowledged()
                assert await trial.ledger.wait_for((await trial.ledger.head()).position + 500, 60)
                assert await trial.acknowledged() == away, "nobody was there to acknowledge"
                await asyncio.to_thread(trial.kafka.start)
        await trial.until_acknowledged((await trial.ledger.head()).position)
    await trial.assert_whole()
