"""What counts against a receiver that fails: no outage of ours. Hours pass by moving what happened into the past."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.notifier.lead import Lead, Sent, Tried
from tests.support.notifying import NotifyTrial

GIVE_UP = timedelta(hours=72)
HOUR = timedelta(hours=1)
RETRY = HOUR.total_seconds()
URL = "https://example.org/hooks"


@asynccontextmanager
async def leading(trial: NotifyTrial) -> AsyncIterator[Lead]:
    lead = await Lead.connect(trial.dsns["intabaza_notifier"])
    try:
        assert await lead.try_to_lead()
        yield lead
    finally:
        lead.end()


async def passes(trial: NotifyTrial, time: timedelta) -> None:
    """So much time, while nothing happens."""
    await trial.owner.execute(
        "update notifier.subscriber set last_at = last_at - $1::interval, failing_since = failing_since - $1,"
        " next_at = next_at - $1",
        time,
    )
    await trial.owner.execute("update notifier.reached set answered_at = answered_at - $1::interval", time)


def tried(subscriber_id: UUID, status: int | None, *, public: bool = True) -> Tried:
    """One try that the receiver answered so, or that nobody answered."""
    delivered = status is not None and status < 300
    error = None if delivered else f"it answered {status}" if status else "it could not be reached"
    sent = [Sent(1, uuid4(), "bi:test", "actual", 2, True)]
    delay = 0.0 if delivered else RETRY
    return Tried(subscriber_id, 1, 0, 1, delivered, status, public, error, delay, None, sent)


async def hours(
    trial: NotifyTrial, lead: Lead, count: int, tries: Mapping[UUID, int | None], *, public: bool = True
) -> set[UUID]:
    """So many hours with a try of each at the end of each; who was disabled meanwhile."""
    disabled: set[UUID] = set()
    for _ in range(count):
        await passes(trial, HOUR)
        group = [tried(one, status, public=public) for one, status in tries.items()]
        disabled |= {one for one, because in (await lead.record(group, GIVE_UP)).items() if because}
    return disabled


async def three(trial: NotifyTrial) -> list[UUID]:
    return [(await trial.subscribe(f"{URL}/{number}"))[0] for number in range(3)]


async def test_an_outage_of_ours_disables_nobody_however_long_it_takes(trial: NotifyTrial) -> None:
    everybody = await three(trial)
    async with leading(trial) as lead:
        await lead.record([tried(one, 204) for one in everybody], GIVE_UP)
        assert not await hours(trial, lead, 200, dict.fromkeys(everybody))
        found = await trial.find(everybody[0])
        assert (found.attempts, found.last_error) == (200, "it could not be reached")
        # and when the network is back, who is still away has all of their time before them
        assert not await hours(trial, lead, 71, {everybody[0]: None, everybody[1]: 204})
        assert await hours(trial, lead, 3, {everybody[0]: None, everybody[1]: 204}) == {everybody[0]}


async def test_hours_in_which_no_notifier_ran_count_against_nobody(trial: NotifyTrial) -> None:
    failing, served, _ = await three(trial)
    async with leading(trial) as lead:
        await hours(trial, lead, 2, {failing: 503, served: 204})
        await passes(trial, timedelta(days=10))
        assert not await hours(trial, lead, 1, {failing: 503, served: 204})
        assert not await hours(trial, lead, 68, {failing: 503, served: 204})
        assert await hours(trial, lead, 4, {failing: 503, served: 204}) == {failing}


@pytest.mark.parametrize("status", [500, 503, 404, 301, 401])
async def test_who_answers_and_refuses_is_disabled_also_where_it_is_the_only_one(
    trial: NotifyTrial, status: int
) -> None:
    alone, _ = await trial.subscribe(URL)
    async with leading(trial) as lead:
        assert not await hours(trial, lead, 72, {alone: status})
        assert await hours(trial, lead, 2, {alone: status}) == {alone}
    found = await trial.find(alone)
    assert found.disabled_because is not None
    assert found.disabled_because.endswith(f"it answered {status}")


async def test_who_cannot_be_reached_is_disabled_where_others_are_served_and_not_where_nobody_is(
    trial: NotifyTrial,
) -> None:
    away, served, also_away = await three(trial)
    async with leading(trial) as lead:
        assert not await hours(trial, lead, 150, {away: None, also_away: None})
        assert await hours(trial, lead, 74, {away: None, also_away: None, served: 204}) == {away, also_away}


async def test_that_our_own_house_answers_says_nothing_of_the_internet(trial: NotifyTrial) -> None:
    outside, inside, also_inside = await three(trial)
    async with leading(trial) as lead:
        await lead.record([tried(outside, 204)], GIVE_UP)
        for _ in range(150):
            assert not await hours(trial, lead, 1, {inside: 204}, public=False)
            await lead.record([tried(outside, None)], GIVE_UP)
        assert (await trial.find(outside)).disabled_since is None
        # with nobody outside, the house is all there is
    await trial.owner.execute("delete from notifier.reached where public")
    async with leading(trial) as lead:
        assert await hours(trial, lead, 75, {inside: 204, also_inside: None}, public=False) == {also_inside}


async def test_success_forgets_what_failed_before(trial: NotifyTrial) -> None:
    moody, _ = await trial.subscribe(URL)
    async with leading(trial) as lead:
        for _ in range(3):
            assert not await hours(trial, lead, 70, {moody: 503})
            assert not await hours(trial, lead, 1, {moody: 204})
