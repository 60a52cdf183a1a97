"""Relays that are killed or frozen under load: another goes on, and a reader notices nothing but repeats to drop."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.relays import RelayTrial


NOBODY_LEADS = """
    select not exists (select from pg_locks where locktype = 'advisory' and granted and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and (classid::bigint << 32 | objid::bigint) = 7310394218800003)
"""


async def goes_on(trial: RelayTrial, events: int = 300) -> None:
    """Return when the relay has brought so many more events to Kafka."""
    await trial.until_acknowledged(await trial.acknowledged() + events)


async def test_when_the_leader_is_killed_under_load_another_takes_over_within_two_seconds(trial: RelayTrial) -> None:
    took: list[float] = []
    async with trial.under_load():
        for _ in range(3):
            with trial.process() as leader:
                await leader.leads()
                await goes_on(trial)
                with trial.process() as second:
                    await second.waits()
                    leader.kill()
                    held = await trial.acknowledged()
                    killed = asyncio.get_running_loop().time()
                    await trial.until_acknowledged(held + 1)
                    took.append(asyncio.get_running_loop().time() - killed)
                    await goes_on(trial)
    with trial.process() as last:
        await last.leads()
        await trial.until_acknowledged((await trial.ledger.head()).position)
    await trial.assert_whole()
    # the promise is two seconds; a machine that does ten other things at once may hold one of three up, hardly all
    assert min(took) < 2.0, took


@pytest.mark.parametrize("rounds", [3])
async def test_a_frozen_leader_loses_the_lead_and_can_only_repeat_when_it_wakes(trial: RelayTrial, rounds: int) -> None:
    for _ in range(rounds):
        with trial.process() as frozen, trial.process() as other:
            async with trial.under_load():
                await frozen.leads_or(other)
                leader, second = (frozen, other) if frozen.has_led else (other, frozen)
                await goes_on(trial)
                leader.signal(signal.SIGSTOP)
                await second.leads()
                await goes_on(trial)
                leader.signal(signal.SIGCONT)
                await leader.says("relay_leads_no_more")
                await goes_on(trial)
            await trial.until_acknowledged((await trial.ledger.head()).position)
            await trial.assert_whole()


async def test_a_lease_that_was_lost_for_nothing_is_taken_again_by_the_same_relay(trial: RelayTrial) -> None:
    with trial.process() as alone:
        async with trial.under_load():
            await alone.leads()
            await goes_on(trial)
            alone.signal(signal.SIGSTOP)
            await trial.until(NOBODY_LEADS)
            alone.signal(signal.SIGCONT)
            await goes_on(trial)
        await trial.until_acknowledged((await trial.ledger.head()).position)
    await trial.assert_whole()


async def test_it_ends_soon_when_it_is_asked_to(trial: RelayTrial) -> None:
    with trial.process() as relay:
        await relay.leads()
        await goes_on_after(trial, 100)
        relay.signal(signal.SIGTERM)
        assert await relay.ended() == 0, relay.said
    with trial.process() as waiting, trial.process() as leader:
        await leader.leads_or(waiting)
        for each in (waiting, leader):
            each.signal(signal.SIGTERM)
            assert await each.ended() == 0, each.said
    await trial.assert_whole()


async def goes_on_after(trial: RelayTrial, events: int) -> None:
    await trial.until_acknowledged(await trial.append(events))
