"""The producer: it is of no more use after any doubt, and what a frozen one still sends is a repeat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaConsumer, TopicPartition

from services.local.topics import ALERTS, EVENTS
from services.relay.chain import Batch, Chains, Place
from services.relay.sender import Sender, SendingFailed
from tests.support.relays import PARTITIONS

if TYPE_CHECKING:
    from tests.support.relays import RelayTrial

PLACES = {TopicPartition(topic, number): Place() for topic in (EVENTS, ALERTS) for number in range(PARTITIONS)}


async def a_batch(trial: RelayTrial, events: int) -> Batch:
    await trial.append(events)
    [batch] = Chains(PARTITIONS, PLACES).batches(await trial.rows(), 0)
    return batch


async def test_what_a_frozen_producer_sends_when_it_wakes_is_a_repeat_and_the_other_notices(trial: RelayTrial) -> None:
    frozen = await Sender.connect(trial.bootstrap)
    frozen.begin(dict(PLACES))
    batch = await a_batch(trial, 200)
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(300))
        with pytest.raises(SendingFailed, match="was due"):
            await frozen.send(batch)  # it wakes
        await trial.until_acknowledged(await trial.append(300))
    frozen.throw_away()
    read = await trial.assert_whole()
    assert len(read.repeats) >= 200


async def test_a_producer_that_is_thrown_away_sends_nothing_any_more(trial: RelayTrial) -> None:
    doubtful = await Sender.connect(trial.bootstrap)
    doubtful.begin(dict(PLACES))
    batch = await a_batch(trial, 200)
    doubtful.throw_away()
    with pytest.raises(SendingFailed, match="thrown away"):
        await doubtful.send(batch)
    assert (await asyncio.to_thread(trial.read)).taken == {}


async def test_a_batch_that_waits_for_its_answer_while_the_producer_is_thrown_away_is_told(trial: RelayTrial) -> None:
    sender = await Sender.connect(trial.bootstrap)
    sender.begin(dict(PLACES))
    sending = asyncio.ensure_future(sender.send(await a_batch(trial, 20)))
    await asyncio.sleep(0)  # it is handed to the connection
    sender.throw_away()
    with pytest.raises(SendingFailed, match="the connection is gone"):
        await sending


async def test_every_record_stands_where_it_was_due_in_several_batches_of_one_producer(trial: RelayTrial) -> None:
    sender = await Sender.connect(trial.bootstrap)
    sender.begin(dict(PLACES))
    chains, through = Chains(PARTITIONS, PLACES), 0
    ends: dict[TopicPartition, int] = {}
    for events in (1, 7, 40):
        await trial.append(events)
        [batch] = chains.batches((await trial.rows())[through:], through)
        ends |= await sender.send(batch)
        through = batch.through
    sender.throw_away()
    read = await trial.assert_whole()
    assert read.repeats == []
    reader = KafkaConsumer(bootstrap_servers=trial.bootstrap, group_id=None)
    assert await asyncio.to_thread(reader.end_offsets, list(ends)) == ends
    reader.close()


async def test_a_broker_without_our_topics_is_told_of_in_one_sentence(
    trial: RelayTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.relay.sender.ALERTS", "no-such-topic")
    monkeypatch.setattr("services.relay.sender.CONNECT_SECONDS", 0.3)
    with pytest.raises(SendingFailed, match="not every broker and topic is to be had"):
        await Sender.connect(trial.bootstrap)


async def test_an_answer_at_another_offset_than_the_next_is_a_doubt(trial: RelayTrial) -> None:
    sender = await Sender.connect(trial.bootstrap)
    sender.begin({at: Place(0, 0, 7) for at in PLACES})
    with pytest.raises(SendingFailed, match=r"took a record at offset 0 where 7 was due"):
        await sender.send(await a_batch(trial, 20))
    sender.throw_away()


async def test_a_connection_that_is_gone_ends_the_producer_though_the_broker_is_back(trial: RelayTrial) -> None:
    sender = await Sender.connect(trial.bootstrap)
    sender.begin(dict(PLACES))
    batch = await a_batch(trial, 20)
    await asyncio.to_thread(trial.kafka.kill)
    await asyncio.to_thread(trial.kafka.start)
    with pytest.raises(SendingFailed, match="a broker is gone"):
        await sender.send(batch)
    sender.throw_away()
    assert (await asyncio.to_thread(trial.read)).taken == {}, "it was sent over a new connection"
