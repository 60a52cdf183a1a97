"""What signs: every secret as long as was said of it, and nothing is sent that nothing signs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services import clock
from services.notifier.sender import UNSIGNED
from services.subscribers.refused import TooManySecrets
from services.subscribers.register import MOST_SECRETS
from services.subscribers.secrets import NothingSigns, Signer, signatures
from tests.support.notifying import OPERATOR, NotifyTrial
from tests.support.receivers import Receiver, a_receiver


def signs(secret: str, receiver: Receiver) -> bool:
    """Whether what came last is signed by this secret."""
    last = receiver.came[-1]
    try:
        Webhook(secret).verify(last.body, dict(last.headers))
    except WebhookVerificationError:
        return False
    return True


async def test_a_secret_lasts_as_long_as_was_said_when_the_next_two_came(trial: NotifyTrial) -> None:
    async with a_receiver() as receiver, trial.notifying():
        subscriber_id, first = await trial.subscribe(receiver.url)
        second, first_until = await trial.register.rotate(OPERATOR, subscriber_id)
        third, second_until = await trial.register.rotate(OPERATOR, subscriber_id)
        assert second_until > first_until
        await trial.tell()
        await receiver.has_taken(1)
        for secret in (first, second.get_secret_value(), third.get_secret_value()):
            assert signs(secret, receiver)
        found = await trial.find(subscriber_id)
        assert found.old_secret_ends_at == second_until
        kept = await trial.owner.fetch("select ends_at from notifier.secret where ends_at is not null order by 1")
        assert [row["ends_at"] for row in kept] == [first_until, second_until]


async def test_so_many_sign_at_once_and_the_refusal_says_when_there_is_room(trial: NotifyTrial) -> None:
    subscriber_id, _ = await trial.subscribe("https://example.org/hooks")
    ends = [(await trial.register.rotate(OPERATOR, subscriber_id))[1] for _ in range(MOST_SECRETS - 1)]
    before = await trial.owner.fetch("select * from notifier.secret order by secret_id")
    with pytest.raises(TooManySecrets, match=f"{MOST_SECRETS} secrets .* again after {ends[0]:%Y-%m-%d %H:%M:%S} UTC"):
        await trial.register.rotate(OPERATOR, subscriber_id)
    assert await trial.owner.fetch("select * from notifier.secret order by secret_id") == before
    await trial.owner.execute("update notifier.secret set ends_at = clock_timestamp() where ends_at = $1", ends[0])
    await trial.register.rotate(OPERATOR, subscriber_id)


async def test_nothing_is_sent_when_the_last_secret_that_opens_has_ended(trial: NotifyTrial) -> None:
    async with a_receiver() as receiver:
        subscriber_id, old = await trial.subscribe(receiver.url)
        await trial.register.rotate(OPERATOR, subscriber_id)
        # the newer one is sealed by a key that is not here: only the old one opens
        await trial.owner.execute("update notifier.secret set wrap_version = 99 where ends_at is null")
        async with trial.notifying(first_retry=60):
            await trial.tell()
            await receiver.has_taken(1)
            assert signs(old, receiver)
        await trial.owner.execute(
            "update notifier.secret set ends_at = clock_timestamp() + interval '1 second' where ends_at is not null"
        )
        async with trial.notifying(first_retry=0.3, longest_retry=0.3):
            await trial.owner.execute("select pg_sleep(1.1)")
            await trial.tell()
            found = await trial.stands(subscriber_id, "attempts > 0")
        assert found.last_error == UNSIGNED
        assert len(receiver.came) == 1
        assert all("webhook-signature" in one.headers and one.headers["webhook-signature"] for one in receiver.came)


def test_no_signature_is_an_error_and_not_an_empty_header() -> None:
    now = clock.now()
    ended = Signer(b"x" * 32, now - timedelta(seconds=1))
    for signers in ([], [ended]):
        with pytest.raises(NothingSigns):
            signatures(signers, "id", now, b"{}")
    assert len(signatures([ended, Signer(b"y" * 32, None)], "id", now, b"{}").split(" ")) == 1
