"""What a receiver may answer, and what follows: when it is tried again, and when nothing more is sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiohttp import web
from prometheus_client import generate_latest
from standardwebhooks import Webhook, WebhookVerificationError

from services.notifier.retrying import Schedule
from tests.support.notifying import OPERATOR, NotifyTrial
from tests.support.receivers import Receiver, a_receiver, answers, takes


async def test_410_disables_at_once_and_enabling_goes_on_where_it_stood(trial: NotifyTrial) -> None:
    async with a_receiver(answers(410)) as receiver, trial.notifying():
        subscriber_id, _ = await trial.subscribe(receiver.url)
        rows = await trial.tell(3)
        gone = await trial.stands(subscriber_id, "disabled_since is not null")
        assert gone.disabled_because == "it answered 410: it wants nothing more"
        assert (gone.last_status, gone.position) == (410, rows[0].position - 1)
        assert len(receiver.came) == 1
        assert b"intabaza_notifier_disablings_total 1.0" in generate_latest(trial.metrics.registry)

        receiver.behaves = takes
        await trial.register.enable(OPERATOR, subscriber_id)
        await receiver.has_taken(3)
    assert [one.position for one in receiver.taken] == [row.position for row in rows]


async def test_the_only_one_is_disabled_too_where_it_is_never_reached_however_often_it_is_tried(
    trial: NotifyTrial,
) -> None:
    """Hours in which nobody was reached count against nobody: they may be ours. Ten times the limit of them do."""
    async with a_receiver() as receiver:
        away = receiver.url
    give_up = timedelta(seconds=0.05)
    async with trial.notifying(first_retry=0.01, longest_retry=0.02, give_up=give_up):
        subscriber_id, _ = await trial.subscribe(away)
        await trial.tell()
        found = await trial.stands(subscriber_id, "disabled_since is not null")
        most = Schedule(0.01, 0.02).tries_in(10 * give_up.total_seconds())
        assert (found.attempts, most) == (26, 26)
        assert found.disabled_because == "nothing could be delivered in 26 tries: it refused the connection"
        assert b"intabaza_notifier_disablings_total 1.0" in generate_latest(trial.metrics.registry)
        await trial.register.enable(OPERATOR, subscriber_id)
        assert (await trial.stands(subscriber_id, "attempts between 1 and 25")).disabled_since is None


async def test_long_failure_disables_with_its_reason(trial: NotifyTrial) -> None:
    async with a_receiver(answers(500)) as receiver, trial.notifying(give_up=timedelta(seconds=0.5)):
        subscriber_id, _ = await trial.subscribe(receiver.url)
        await trial.tell()
        found = await trial.stands(subscriber_id, "disabled_since is not null")
        assert found.disabled_because is not None
        assert found.disabled_because.startswith("nothing could be delivered since 20")
        assert found.disabled_because.endswith("UTC: it answered 500")
        assert found.attempts > 1
        came = len(receiver.came)
        await trial.tell(5)
        # another one is told meanwhile, and this one is not
        async with a_receiver() as other:
            await trial.subscribe(other.url)
            await trial.tell()
            await other.has_taken(1)
        assert len(receiver.came) == came


async def test_what_failed_is_visible_while_it_waits(trial: NotifyTrial) -> None:
    async with a_receiver(answers(503, body=b"the secret of the receiver")) as receiver:
        subscriber_id, _ = await trial.subscribe(receiver.url)
        async with trial.notifying(first_retry=60, longest_retry=600):
            await trial.tell(2)
            found = await trial.stands(subscriber_id, "attempts = 1")
        assert found.last_status == 503
        assert found.last_error == "it answered 503"
        assert found.last_at is not None
        assert found.next_at is not None
        assert timedelta(seconds=29) <= found.next_at - found.last_at <= timedelta(seconds=61)
        # the next notifier waits as long as the first would have, and a person need not
        async with trial.notifying():
            receiver.behaves = takes
            await trial.register.enable(OPERATOR, subscriber_id)
            await receiver.has_taken(2)
    assert len(receiver.came) == 3


async def test_retry_after_is_honoured_within_a_bound(trial: NotifyTrial) -> None:
    async with (
        a_receiver(answers(429, {"Retry-After": "120"})) as asks,
        a_receiver(answers(503, {"Retry-After": "999999"})) as greedy,
        trial.notifying(longest_retry=300),
    ):
        for receiver, seconds in ((asks, 120), (greedy, 300)):
            subscriber_id, _ = await trial.subscribe(receiver.url)
            await trial.tell()
            found = await trial.stands(subscriber_id, "attempts = 1")
            assert found.next_at is not None
            assert found.last_at is not None
            assert found.next_at - found.last_at == timedelta(seconds=seconds)


async def test_a_clock_that_was_set_back_a_year_makes_nobody_wait_for_it(trial: NotifyTrial) -> None:
    async with a_receiver() as receiver:
        subscriber_id, _ = await trial.subscribe(receiver.url)
        await trial.tell()
        await trial.owner.execute(
            "update notifier.subscriber set attempts = 1, next_at = clock_timestamp() + interval '1 year',"
            " last_at = clock_timestamp() + interval '1 year', failing_since = clock_timestamp() + interval '1 year'"
        )
        async with trial.notifying(longest_retry=0.1):
            await receiver.has_taken(1)
            found = await trial.stands(subscriber_id, "attempts = 0")
    assert (found.failing_since, found.next_at) == (None, None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(trial: NotifyTrial, status: int) -> None:
    async with a_receiver() as inside, a_receiver(answers(status, {"Location": inside.url})) as receiver:
        subscriber_id, _ = await trial.subscribe(receiver.url)
        async with trial.notifying(first_retry=60):
            await trial.tell()
            found = await trial.stands(subscriber_id, "attempts = 1")
    assert found.last_error == f"it answered {status}: redirects are not followed"
    assert not inside.came


async def test_an_answer_without_an_end_is_no_matter(trial: NotifyTrial) -> None:
    async def endless(receiver: Receiver, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        try:
            while not receiver.closing.is_set():
                await response.write(b"x" * 65_536)
        except ConnectionError:
            pass
        receiver.taken.append(receiver.came[-1])
        return response

    async with a_receiver(endless) as receiver, trial.notifying():
        subscriber_id, _ = await trial.subscribe(receiver.url)
        await trial.tell(3)
        found = await trial.stands(subscriber_id, "position >= 3")
    assert found.last_status == 200
    assert len(receiver.came) == 3


async def test_both_secrets_sign_while_one_is_rotated_and_the_old_one_ends(trial: NotifyTrial) -> None:
    async with a_receiver() as receiver, trial.notifying():
        subscriber_id, old = await trial.subscribe(receiver.url)
        await trial.tell()
        await receiver.has_taken(1)
        new, until = await trial.register.rotate(OPERATOR, subscriber_id)
        await trial.tell()
        await receiver.has_taken(2)
        first, second = receiver.came
        assert len(second.headers["webhook-signature"].split(" ")) == 2
        for one, secret in ((first, old), (second, old), (second, new.get_secret_value())):
            Webhook(secret).verify(one.body, dict(one.headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(new.get_secret_value()).verify(first.body, dict(first.headers))
        found = await trial.find(subscriber_id)
        assert found.old_secret_ends_at == until

        await trial.owner.execute("update notifier.secret set ends_at = clock_timestamp() where ends_at is not null")
        await trial.owner.execute("update notifier.subscriber set version = version + 1")
        await trial.owner.execute("select pg_notify('notifier', '')")
        await trial.tell()
        await receiver.has_taken(3)
        third = receiver.came[2]
        Webhook(new.get_secret_value()).verify(third.body, dict(third.headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(old).verify(third.body, dict(third.headers))


async def test_sending_again_is_an_act_and_leaves_what_was_sent_before(trial: NotifyTrial) -> None:
    async with a_receiver() as receiver, trial.notifying():
        subscriber_id, _ = await trial.subscribe(receiver.url)
        rows = await trial.tell(5)
        await trial.stands(subscriber_id, f"position = {rows[-1].position}")
        await trial.register.resend(OPERATOR, subscriber_id, rows[2].position)
        await receiver.until(lambda: len(receiver.taken) == 8)
        await trial.stands(subscriber_id, f"position = {rows[-1].position}")
    assert [one.position for one in receiver.came] == [row.position for row in [*rows, *rows[2:]]]
    assert [(row["resends"], row["position"]) for row in await trial.deliveries(subscriber_id)] == [
        *((0, row.position) for row in rows),
        *((1, row.position) for row in rows[2:]),
    ]
