"""A topic made anew: everything is sent again, whole, whatever interrupts it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from kafka import KafkaAdminClient

from services.local.topics import ALERTS, EVENTS
from services.local_problem import LocalProblem
from services.relay import republish
from services.relay.operator import ask_to_republish, standing, watch_it_being_sent
from services.relay.tail import topic_ids
from tests.support.ledgers import note
from tests.support.losing import lose
from tests.support.relays import PARTITIONS
from tests.support.topics import end_offsets

if TYPE_CHECKING:
    from tests.support.relays import RelayTrial


class Shown:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float, float | None]] = []

    def say(self, text: str) -> None: ...

    def advance(self, what: str, done: float, total: float | None = None) -> None:
        self.steps.append((what, done, total))


async def ask(trial: RelayTrial, *topics: str) -> None:
    await ask_to_republish(trial.app_dsn, trial.bootstrap, PARTITIONS, topics or (EVENTS, ALERTS))


async def ids(trial: RelayTrial) -> dict[str, UUID]:
    return dict(await asyncio.to_thread(topic_ids, trial.bootstrap, PARTITIONS))


async def test_the_topics_are_new_and_hold_everything_again(trial: RelayTrial) -> None:
    before, shown = await ids(trial), Shown()
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(500))
        await ask(trial)
        assert await watch_it_being_sent(trial.app_dsn, shown) == 500
        assert list(shown.steps[-1]) == ["sending everything again", 500, 500]
        await trial.until_acknowledged(await trial.append(10))
    after = await ids(trial)
    assert before[EVENTS] != after[EVENTS]
    assert before[ALERTS] != after[ALERTS]
    assert (await trial.assert_whole()).repeats == []


async def test_a_topic_is_made_anew_while_there_is_always_something_to_send(trial: RelayTrial) -> None:
    before = await ids(trial)
    async with trial.relaying(), trial.under_load():
        await trial.until_acknowledged(100)
        await ask(trial)
        await trial.until("select not exists (select from relay.republication)", seconds=180)
    async with trial.relaying():
        await trial.until_acknowledged((await trial.ledger.head()).position)
    assert not {*before.values()} & {*(await ids(trial)).values()}
    assert (await trial.assert_whole()).repeats == []


async def test_one_topic_alone_may_be_made_anew(trial: RelayTrial) -> None:
    before = await ids(trial)
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(100))
        await ask(trial, ALERTS)
        await watch_it_being_sent(trial.app_dsn, Shown())
    after = await ids(trial)
    assert before[EVENTS] == after[EVENTS]
    assert before[ALERTS] != after[ALERTS]
    assert (await trial.assert_whole()).repeats == []


async def test_a_relay_that_is_killed_while_it_sends_everything_again_goes_on(trial: RelayTrial) -> None:
    await trial.append(6_000, text="x" * 300)
    with trial.process() as relay:
        await trial.until_acknowledged(6_000)
        await ask(trial)
        await trial.until("select not exists (select from relay.republication)")
        relay.kill()
    with trial.process() as relay:
        await relay.leads()
        await trial.until_acknowledged(6_000)
    await trial.assert_whole()


async def test_what_was_asked_while_no_relay_ran_is_done_when_one_does(trial: RelayTrial) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(50))
    before = await ids(trial)
    await ask(trial)
    async with trial.relaying():
        await watch_it_being_sent(trial.app_dsn, Shown())
    assert (await ids(trial))[EVENTS] != before[EVENTS]
    await trial.assert_whole()


async def test_a_topic_that_was_asked_for_twice_is_not_deleted_twice(trial: RelayTrial) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(50))
        old = (await ids(trial))[EVENTS]
        await ask(trial)
        await watch_it_being_sent(trial.app_dsn, Shown())
        new = await ids(trial)
        # as if the database had lost, in a power cut, that it was done
        await trial.owner.execute("select relay.ask_to_republish($1, $2)", EVENTS, old)
        await watch_it_being_sent(trial.app_dsn, Shown())
    assert await ids(trial) == new
    assert (await trial.assert_whole()).repeats == []


async def test_a_topic_that_is_gone_is_named_and_made_anew(trial: RelayTrial) -> None:
    with trial.process() as relay:
        await trial.until_acknowledged(await trial.append(50))
        await asyncio.to_thread(delete, trial.bootstrap, EVENTS)
        await trial.append(10)
        await relay.says(f"There is no topic {EVENTS} on the Kafka at {trial.bootstrap}: `intabaza up` makes it")
        await ask(trial, EVENTS)
        await watch_it_being_sent(trial.app_dsn, Shown())
        await trial.until_acknowledged(60)
    await trial.assert_whole()


def delete(bootstrap: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.delete_topics([topic])
    admin.close()


async def test_a_topic_that_somebody_made_anew_is_not_filled_until_somebody_says_so(trial: RelayTrial) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(50))
    await asyncio.to_thread(trial.empty_topics)
    async with trial.relaying():
        sentence = await trial.halted()
        assert "is another topic than the one that was filled" in sentence
        assert "intabaza relay republish" in sentence
        assert set((await asyncio.to_thread(end_offsets, trial.bootstrap, EVENTS)).values()) == {0}
        assert (await standing(trial.app_dsn)).halted_because == sentence
        await ask(trial)
        await watch_it_being_sent(trial.app_dsn, Shown())
    await trial.assert_whole()


async def test_it_is_refused_while_kafka_knows_more_than_the_ledger(trial: RelayTrial) -> None:
    because = "events.v1 partition 0 holds position 9 at offset 1, and the ledger does not have it"
    await trial.owner.execute("update relay.progress set halted_because = $1, door_shut_because = $1", because)
    await trial.ledger.shut_door(because)
    with pytest.raises(LocalProblem, match="restore the ledger first"):
        await ask(trial)
    assert await trial.owner.fetchval("select count(*) from relay.republication") == 0
    await trial.ledger.open_door()
    await trial.ledger.append(note())


async def test_it_is_refused_where_kafka_has_more_and_the_relay_halts_for_something_else(trial: RelayTrial) -> None:
    async with trial.relaying():
        await trial.until_acknowledged(await trial.append(50))
    await trial.owner.execute("create temporary table kept as select * from relay.partition")
    await lose(trial.owner, 40)
    await trial.owner.execute("update kept set topic_id = gen_random_uuid()")
    await trial.owner.execute("insert into relay.partition select * from kept")
    async with trial.relaying():
        assert "is another topic than the one that was filled" in await trial.halted()
        with pytest.raises(LocalProblem, match="up to position 50 at least, and the ledger to 40") as refused:
            await ask(trial)
        assert "intabaza ledger restore" in str(refused.value)
    assert await trial.owner.fetchval("select count(*) from relay.republication") == 0


async def test_a_topic_is_deleted_by_its_id_so_a_leader_that_was_frozen_deletes_no_newer_one(
    trial: RelayTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = (await ids(trial))[EVENTS]
    there = republish._is_there
    looked: list[bool] = []

    def made_anew_meanwhile(servers: Sequence[str], topic: str, topic_id: UUID) -> bool:
        looked.append(there(servers, topic, topic_id))
        if len(looked) == 1:
            trial.empty_topics()
        return looked[-1]

    monkeypatch.setattr(republish, "_is_there", made_anew_meanwhile)
    await asyncio.to_thread(republish._delete, trial.bootstrap, EVENTS, old)
    assert looked == [True, False]
    assert (await ids(trial))[EVENTS] != old
