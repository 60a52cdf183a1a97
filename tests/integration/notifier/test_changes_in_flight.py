"""A person changes a subscriber while something is being sent to it: what belongs to before says nothing of after."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from services.subscribers.filters import Filters
from services.subscribers.refused import NoSuchSubscriber
from tests.support.notifying import OPERATOR, NotifyTrial
from tests.support.receivers import Behaviour, Receiver, a_receiver, answers


class Late:
    """A receiver's answer that waits until the test lets it go."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, receiver: Receiver, request: web.Request) -> web.StreamResponse:
        self.asked.set()
        await self.go.wait()
        return web.Response(status=self.status)


@pytest.mark.parametrize("status", [410, 503])
async def test_what_the_old_url_answers_neither_disables_nor_delays_the_new_one(
    trial: NotifyTrial, status: int
) -> None:
    late = Late(status)
    async with a_receiver(late) as old, a_receiver() as new, trial.notifying(first_retry=60):
        subscriber_id, _ = await trial.subscribe(old.url)
        rows = await trial.tell(2)
        await late.asked.wait()
        await trial.register.change(OPERATOR, subscriber_id, new.url, Filters())
        late.go.set()
        await new.has_taken(2)
        found = await trial.stands(subscriber_id, f"position = {rows[-1].position}")
    assert (found.disabled_because, found.attempts, found.failing_since) == (None, 0, None)
    assert len(old.came) == 1


async def test_another_url_begins_anew_and_the_same_one_does_not(trial: NotifyTrial) -> None:
    failing: Behaviour = answers(503)
    async with a_receiver(failing) as receiver:
        subscriber_id, _ = await trial.subscribe(receiver.url)
        async with trial.notifying(first_retry=60, give_up=timedelta(hours=1)):
            await trial.tell()
            await trial.stands(subscriber_id, "attempts = 1")
        await trial.owner.execute("update notifier.subscriber set failed_for = '30 days'")
        await trial.register.change(OPERATOR, subscriber_id, receiver.url, Filters(minimum_level=1))
        same = await trial.find(subscriber_id)
        assert (same.attempts, same.failing_since is None) == (1, False)
        await trial.register.change(OPERATOR, subscriber_id, f"{receiver.url}/other", Filters())
        other = await trial.find(subscriber_id)
        assert (other.attempts, other.failing_since) == (0, None)
        async with trial.notifying(first_retry=60, give_up=timedelta(hours=1)):
            found = await trial.stands(subscriber_id, "attempts = 1")
        assert found.disabled_because is None


async def test_what_was_delivered_meanwhile_is_not_sent_again_where_the_url_stayed(trial: NotifyTrial) -> None:
    late = Late(204)
    async with a_receiver(late) as receiver, trial.notifying():
        subscriber_id, _ = await trial.subscribe(receiver.url)
        rows = await trial.tell(2)
        await late.asked.wait()
        await trial.register.rotate(OPERATOR, subscriber_id)
        await trial.register.change(OPERATOR, subscriber_id, receiver.url, Filters(minimum_level=1))
        late.go.set()
        await receiver.has_taken(2)
        await trial.stands(subscriber_id, f"position = {rows[-1].position}")
    assert [one.position for one in receiver.came] == [row.position for row in rows]


async def test_who_is_removed_while_something_is_sent_leaves_nothing_and_the_others_go_on(trial: NotifyTrial) -> None:
    late = Late(204)
    async with a_receiver(late) as receiver, a_receiver() as other, trial.notifying():
        subscriber_id, _ = await trial.subscribe(receiver.url)
        await trial.subscribe(other.url)
        await trial.tell(2)
        await late.asked.wait()
        await other.has_taken(2)
        await trial.register.remove(OPERATOR, subscriber_id)
        late.go.set()
        await trial.tell(2)
        await other.has_taken(4)
        with pytest.raises(NoSuchSubscriber):
            await trial.find(subscriber_id)
        for table in ("subscriber", "secret", "delivery"):
            left = await trial.owner.fetchval(
                f"select count(*) from notifier.{table} where subscriber_id = $1", subscriber_id
            )
            assert left == 0, table
    assert len(receiver.came) == 1
    assert [one.position for one in other.came] == sorted({one.position for one in other.came})
