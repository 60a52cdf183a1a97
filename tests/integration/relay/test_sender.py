"""The producer: it is of no more use after any doubt, and what a frozen one still sends is a repeat."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import pytest
from kafka import TopicPartition
from kafka.net.compat import KafkaNetClient
from kafka.producer.sender import Sender as ClientsSender

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


def fill(sender: Sender, batch: Batch) -> None:
    """What a producer holds that was frozen between its filling and its sending."""
    for one in batch.records:
        sender._producer.send(one.at.topic, one.value, one.key, one.headers, partition=one.at.partition)


async def test_a_frozen_producer_with_a_full_buffer_repeats_when_it_wakes_and_the_other_notices(
    trial: RelayTrial,
) -> None:
    frozen = await asyncio.to_thread(Sender.connect, trial.bootstrap)
    fill(frozen, await a_batch(trial, 200))
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(300))
        await asyncio.to_thread(frozen._producer.flush)  # it wakes
        await trial.until_acknowledged(await trial.append(300))
    frozen.throw_away()
    read = await trial.assert_whole()
    assert len(read.repeats) >= 200


async def test_a_producer_that_is_thrown_away_sends_nothing_any_more(trial: RelayTrial) -> None:
    doubtful = await asyncio.to_thread(Sender.connect, trial.bootstrap)
    fill(doubtful, await a_batch(trial, 200))
    await asyncio.to_thread(doubtful.throw_away)
    assert (await asyncio.to_thread(trial.read)).taken == {}


async def test_an_answer_at_another_offset_than_the_next_is_a_doubt(trial: RelayTrial) -> None:
    sender = await asyncio.to_thread(Sender.connect, trial.bootstrap)
    sender.begin({at: Place(0, 0, 7) for at in PLACES})
    with pytest.raises(SendingFailed, match=r"took a record at offset 0 where 7 was due"):
        await asyncio.to_thread(sender.send, await a_batch(trial, 20))
    await asyncio.to_thread(sender.throw_away)


async def test_a_connection_that_is_gone_ends_the_producer_though_the_broker_is_back(trial: RelayTrial) -> None:
    sender = await asyncio.to_thread(Sender.connect, trial.bootstrap)
    sender.begin(dict(PLACES))
    batch = await a_batch(trial, 20)
    await asyncio.to_thread(trial.kafka.kill)
    await asyncio.to_thread(trial.kafka.start)
    with pytest.raises(SendingFailed):
        await asyncio.to_thread(sender.send, batch)
    await asyncio.to_thread(sender.throw_away)
    assert (await asyncio.to_thread(trial.read)).taken == {}, "it was sent over a new connection"


def test_the_client_still_asks_what_the_guard_answers() -> None:
    """The guard overrides three methods of kafka-python's client and uses two names within: held here, loudly."""
    source = inspect.getsource(ClientsSender)
    for called in ("self._client.is_ready(", "self._client.maybe_connect(", "self._client.poll(", "def force_close("):
        assert called in source
    assert "self._manager._conns.get(node_id)" in inspect.getsource(KafkaNetClient)
    assert "batch.attempts >= self.config['retries']" in source
