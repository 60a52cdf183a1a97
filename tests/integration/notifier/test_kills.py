"""Notifiers that are killed and frozen while they send: nothing is lost, and no two send at once."""

from __future__ import annotations

import asyncio
import signal
from itertools import pairwise

from aiohttp import web

from tests.support.load import steady_load
from tests.support.notifying import NotifyTrial
from tests.support.receivers import Receiver, a_receiver


async def slowly(receiver: Receiver, request: web.Request) -> web.StreamResponse:
    """Long enough that a kill often falls into the middle of one, and quicker than alerts come."""
    await asyncio.sleep(0.01)
    return web.Response(status=204)


async def goes_on(receiver: Receiver, events: int = 20) -> None:
    await receiver.has_taken(len(receiver.state) + events)


async def assert_whole(trial: NotifyTrial, *receivers: Receiver) -> None:
    """Everything came, once for who drops repeats; and in order but for those."""
    rows = {str(row.event_id): row for row in await trial.ledger.read_alerts(0, 1_000_000, 1_000_000)}
    for receiver in receivers:
        await receiver.has_taken(len(rows))
        assert receiver.state == {key: row.wire() for key, row in rows.items()}
        first = list(dict.fromkeys(one.position for one in receiver.came))
        assert first == sorted(first)


async def test_nothing_is_lost_when_the_notifier_is_killed_again_and_again(trial: NotifyTrial) -> None:
    async with a_receiver(slowly) as one, a_receiver(slowly) as other:
        subscribers = [(await trial.subscribe(receiver.url))[0] for receiver in (one, other)]
        async with steady_load(trial.tell, 0.02):
            for _ in range(4):
                with trial.process() as notifier:
                    await goes_on(one)
                    await goes_on(other)
                    notifier.kill()
            with trial.process():
                await goes_on(one)
        with trial.process():
            await assert_whole(trial, one, other)
            kills = 5
            for subscriber_id, receiver in zip(subscribers, (one, other), strict=True):
                head = (await trial.ledger.head()).position
                await trial.stands(subscriber_id, f"position = {head}")
                # of each kill at most what was being sent: the next one waits until that is recorded
                assert len(receiver.came) - len(receiver.state) <= kills
                rows = await trial.deliveries(subscriber_id)
                assert len(rows) == len(receiver.state)
                assert all(row["delivered_at"] for row in rows)


async def test_of_two_notifiers_one_sends_and_the_other_takes_over(trial: NotifyTrial) -> None:
    async with a_receiver(slowly) as receiver:
        await trial.subscribe(receiver.url)
        async with steady_load(trial.tell, 0.02):
            with trial.process() as first:
                await first.leads()
                with trial.process() as second:
                    await second.stands_by()
                    await goes_on(receiver)
                    assert not second.has_led
                    first.kill()
                    await second.leads()
                    await goes_on(receiver)
        with trial.process():
            await assert_whole(trial, receiver)
    assert receiver.most_at_once == 1


async def test_one_that_was_frozen_sends_nothing_when_it_wakes_beside_another(trial: NotifyTrial) -> None:
    async with a_receiver(slowly) as receiver:
        await trial.subscribe(receiver.url)
        async with steady_load(trial.tell, 0.02):
            with trial.process() as frozen:
                await frozen.leads()
                await goes_on(receiver)
                with trial.process() as other:
                    await other.stands_by()
                    frozen.signal(signal.SIGSTOP)
                    await other.leads()
                    await goes_on(receiver)
                    before = len(receiver.came)
                    frozen.signal(signal.SIGCONT)
                    await frozen.says("notifier_does_not_lead")
                    await goes_on(receiver)
                    awake = receiver.came[before:]
                    other.kill()
                    await goes_on(receiver)
        with trial.process():
            await assert_whole(trial, receiver)
    assert all(earlier.position < later.position for earlier, later in pairwise(awake))


async def test_it_ends_soon_when_it_is_asked_to(trial: NotifyTrial) -> None:
    async def for_ever(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("slow"):
            await receiver.closing.wait()
        return web.Response(status=204)

    async with a_receiver(for_ever) as receiver:
        await trial.subscribe(receiver.url)
        await trial.subscribe(f"{receiver.url}/slow")
        with trial.process() as notifier, trial.process() as waiting:
            await notifier.until(lambda: notifier.has_led or waiting.has_led)
            await (waiting if notifier.has_led else notifier).stands_by()
            await trial.tell(5)
            await receiver.has_taken(5)
            for each in (notifier, waiting):
                each.signal(signal.SIGTERM)
                assert await each.ended(12) == 0, each.said  # for an answer it waits for fifteen seconds
                assert "notifier_ends" in each.said
    rows = await trial.owner.fetchval("select count(*) from notifier.delivery where delivered_at is not null")
    assert rows == 5


async def test_it_waits_for_a_database_that_is_away_and_goes_on(trial: NotifyTrial) -> None:
    async with a_receiver() as receiver:
        await trial.subscribe(receiver.url)
        with trial.process() as notifier:
            await notifier.leads()
            await trial.tell(3)
            await receiver.has_taken(3)
            for _ in range(3):
                await trial.owner.fetch(
                    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'intabaza_notifier'"
                    " and datname = current_database()"
                )
                await trial.tell(3)
                await goes_on(receiver, 3)
            assert notifier.runs
            await assert_whole(trial, receiver)
