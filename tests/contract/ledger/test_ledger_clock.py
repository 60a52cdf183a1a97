"""The ledger's clock: nobody passes a time for it, a doubtful one stops appends, a simulated one obeys a scenario."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.ledger.ledger import Accepted, ClockDoubtful, Ledger, NotAccepted
from tests.contract.ledger.conftest import SCENARIO_BEGINS
from tests.support.ledgers import Trial, note


@pytest.mark.parametrize("minutes", [-3, 3, 60 * 24 * 365])
async def test_clocks_that_differ_by_more_than_two_minutes_refuse_the_append(trial: Trial, minutes: int) -> None:
    trial.witness.ahead = timedelta(minutes=minutes)

    with pytest.raises(ClockDoubtful, match="intabaza clock accept"):
        await trial.ledger.append(note())

    assert (await trial.ledger.head()).position == 0


@pytest.mark.parametrize("seconds", [-110, 110])
async def test_clocks_that_differ_a_little_do_not_matter(trial: Trial, seconds: int) -> None:
    trial.witness.ahead = timedelta(seconds=seconds)

    [place] = (await trial.ledger.append(note())).placed

    trial.witness.ahead = timedelta()
    assert abs(place.recorded_at - trial.witness()) < timedelta(seconds=30)


async def test_an_operator_may_confirm_a_difference_and_that_one_only(trial: Trial) -> None:
    trial.witness.ahead = timedelta(hours=1)
    await trial.ledger.accept_clock()

    assert (await trial.ledger.append(note())).placed
    trial.witness.ahead = timedelta(hours=2)
    with pytest.raises(ClockDoubtful):
        await trial.ledger.append(note())


async def test_a_confirmed_difference_ends_when_clocks_that_agree_are_confirmed(trial: Trial) -> None:
    trial.witness.ahead = timedelta(hours=1)
    await trial.ledger.accept_clock()
    trial.witness.ahead = timedelta(seconds=100)
    await trial.ledger.accept_clock()

    for ahead in (timedelta(hours=1), timedelta(seconds=210)):
        trial.witness.ahead = ahead
        with pytest.raises(ClockDoubtful):
            await trial.ledger.append(note())


async def test_a_clock_thirty_days_past_the_last_event_refuses_the_append(trial: Trial) -> None:
    await trial.ledger.append(note())
    await trial.age(timedelta(days=31))

    with pytest.raises(ClockDoubtful, match="31 days past the last event"):
        await trial.ledger.append(note())

    assert (await trial.ledger.head()).position == 1


async def test_a_quiet_month_is_no_jump(trial: Trial) -> None:
    await trial.ledger.append(note())
    await trial.age(timedelta(days=29))

    assert (await trial.ledger.append(note())).placed


async def test_a_confirmed_jump_lets_appends_in_and_the_next_jump_is_asked_about_again(trial: Trial) -> None:
    await trial.ledger.append(note())
    await trial.age(timedelta(days=40))
    await trial.ledger.accept_clock()

    assert (await trial.ledger.append(note())).placed[0].position == 2

    await trial.age(timedelta(days=80))
    with pytest.raises(ClockDoubtful):
        await trial.ledger.append(note())


async def test_a_repeat_is_told_the_truth_whatever_the_clocks_say(trial: Trial) -> None:
    submission = note()
    first = await trial.ledger.append(submission)
    trial.witness.ahead = timedelta(days=1)

    assert await trial.ledger.append(submission) == Accepted(first.placed, repeated=True)


async def test_a_simulated_ledger_records_the_scenarios_time_and_asks_no_witness(simulated: Trial) -> None:
    simulated.witness.ahead = timedelta(days=-3000)

    first = await simulated.ledger.append(note())
    await simulated.ledger.set_clock(SCENARIO_BEGINS + timedelta(days=400))
    second = await simulated.ledger.append(note())

    assert [place.recorded_at for place in (*first.placed, *second.placed)] == [
        SCENARIO_BEGINS,
        SCENARIO_BEGINS + timedelta(days=400),
    ]


async def test_a_simulated_clock_goes_forward_only(simulated: Trial) -> None:
    await simulated.ledger.set_clock(SCENARIO_BEGINS + timedelta(hours=1))

    with pytest.raises(NotAccepted, match="forward only"):
        await simulated.ledger.set_clock(SCENARIO_BEGINS)

    await simulated.ledger.append(note())
    assert (await simulated.ledger.head()).recorded_at == SCENARIO_BEGINS + timedelta(hours=1)


async def test_nobody_sets_a_real_ledgers_clock(ledger: Ledger, trial: Trial) -> None:
    with pytest.raises(NotAccepted, match="only a simulated one"):
        await ledger.set_clock(trial.witness() + timedelta(hours=1))
    await ledger.append(note())
    with pytest.raises(NotAccepted, match="only a simulated one"):
        await ledger.set_clock(trial.witness() + timedelta(hours=1))


async def test_concurrent_appends_of_one_moment_keep_order_of_position_and_time(simulated: Trial) -> None:
    await asyncio.gather(*(simulated.ledger.append(note()) for _ in range(30)))

    rows = await simulated.ledger.read(0)
    assert {row.recorded_at for row in rows} == {SCENARIO_BEGINS}
    assert [row.position for row in rows] == list(range(1, 31))
