"""Whoever fails, is ended or is changed in between, a subscriber is told the same as if nothing had happened."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from random import Random

import pytest
from aiohttp import web

from events.vocabulary import Mode
from services.subscribers.filters import Filters, Manner
from tests.support.attending import ELSEWHERE, GIHANGA, PROVINCE, Log, adopt, dealt, history
from tests.support.examples import tries
from tests.support.ledgers import an_alert, by_nobody
from tests.support.notifying import OPERATOR, NotifyTrial
from tests.support.receivers import Receiver, a_receiver, answers, takes

ALL = Filters()
BY_PROVINCE = Manner(by_province=True)
EVENTS = 20
AT_ONCE = 5
"""So many events at the most come before a notifier may be ended."""


async def tell(trial: NotifyTrial, log: Log, versions: Counter[str], first: int, last: int) -> int:
    """A part of a log, all at once; answers the last position."""
    submissions = []
    for stream, said, mode in log.said[first:last]:
        versions[stream] += 1
        submissions.append(by_nobody(stream, versions[stream], said, mode))
    return (await trial.submit(*submissions))[-1].position


def first_told(receiver: Receiver) -> dict[str, list[int]]:
    """The positions that were taken of each unit, in the order in which each came first."""
    told: dict[str, list[int]] = defaultdict(list)
    for event in (event for one in receiver.taken for event in one.events):
        of_unit, position = told[event["data"]["unit"]], int(event["sequence"])
        if position not in of_unit:
            of_unit.append(position)
    return told


@pytest.mark.parametrize("seed", range(tries(8)))
async def test_a_receiver_that_fails_and_notifiers_that_end(trial: NotifyTrial, seed: int) -> None:
    dice = Random(seed)
    filters = dice.choice((ALL, Filters(changes=frozenset({"raised"})), Filters(minimum_level=3)))
    manner = Manner(by_province=dice.random() < 0.6, inhibits=dice.random() < 0.5)
    log = history([dealt(dice) for _ in range(EVENTS)])

    async def moody(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        return await (takes if dice.random() < 0.5 else answers(503))(receiver, request)

    await adopt(trial.ledger)
    versions: Counter[str] = Counter()
    async with a_receiver() as steady, a_receiver(moody) as disturbed:
        ids = [(await trial.register.add(OPERATOR, one.url, filters, 1, manner))[0] for one in (steady, disturbed)]
        at = 0
        while at < len(log.said):
            until = min(at + dice.randint(1, AT_ONCE), len(log.said))
            async with trial.notifying():
                end = await tell(trial, log, versions, at, until)
                await trial.stands(ids[0], f"position >= {end}")
                await asyncio.sleep(dice.uniform(0, 0.05))  # somewhere in what the other one is sent
            at = until
        disturbed.behaves = takes
        async with trial.notifying():
            [nobodys] = await trial.submit(an_alert("bi:test:nobody", 1, Mode.EXERCISE))
            for one in ids:
                await trial.stands(one, f"position = {nobodys.position}")
    assert first_told(disturbed) == first_told(steady)


async def test_what_was_decided_beside_a_notice_that_was_taken_is_decided_the_same_again(trial: NotifyTrial) -> None:
    log = Log()
    log.silence("s", PROVINCE)
    log.level(GIHANGA, 3)
    log.level(GIHANGA, 2, corrects=True)
    log.level(GIHANGA, 4)
    log.level(ELSEWHERE, 4)
    log.silence("s", PROVINCE, ends=True)

    async def refuses_elsewhere(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        refused = receiver.came[-1].events[0]["data"]["unit"] == ELSEWHERE
        return await (answers(503) if refused else takes)(receiver, request)

    await adopt(trial.ledger)
    async with a_receiver(refuses_elsewhere) as receiver:
        subscriber_id, _ = await trial.register.add(OPERATOR, receiver.url, ALL, 1, BY_PROVINCE)
        end = await tell(trial, log, Counter(), 0, len(log.said))
        async with trial.notifying():
            await trial.stands(subscriber_id, "attempts > 1")
        receiver.behaves = takes
        async with trial.notifying():
            await trial.stands(subscriber_id, f"position = {end}")
    assert [[one["data"].get("to") for one in each.events] for each in receiver.taken] == [[None, 4, None], [4]]


async def test_what_is_to_be_held_back_is_not_passed_by_where_somebody_has_changed_the_subscriber(
    trial: NotifyTrial,
) -> None:
    log = Log()
    log.silence("s", PROVINCE)
    log.level(GIHANGA, 2)
    log.level(ELSEWHERE, 2)
    log.silence("s", PROVINCE, ends=True)
    await adopt(trial.ledger)
    versions: Counter[str] = Counter()
    async with a_receiver() as receiver, trial.notifying():
        subscriber_id, _ = await trial.subscribe(receiver.url)
        await trial.stands(subscriber_id, f"position = {await tell(trial, log, versions, 0, 1)}")
        # whoever leads has not heard of it yet
        await trial.owner.execute("update notifier.subscriber set version = version + 1")
        await trial.stands(subscriber_id, f"position = {await tell(trial, log, versions, 1, 3)}")
        assert (await trial.find(subscriber_id)).held_back == 1
        await tell(trial, log, versions, 3, 4)
        await receiver.has_taken(4)
    assert [one.event["data"].get("to") for one in receiver.taken] == [None, 2, None, 2]


async def test_whether_it_stands_is_written_down_at_the_next_try_where_it_was_not(trial: NotifyTrial) -> None:
    async with a_receiver(answers(503)) as receiver, trial.notifying():
        subscriber_id, _ = await trial.subscribe(receiver.url)
        [row] = await trial.tell()
        await trial.stands(subscriber_id, "attempts > 0")
        await trial.owner.execute("update notifier.delivery set stands = null")
        receiver.behaves = takes
        await trial.stands(subscriber_id, f"position = {row.position}")
        assert await trial.owner.fetchval("select stands from notifier.delivery")
