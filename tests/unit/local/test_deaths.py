"""Who is started again, who is given up and who ends the stack, death by death."""

from __future__ import annotations

from services.local.deaths import (
    FORGIVEN_AFTER_SECONDS,
    RESTART_DELAYS_SECONDS,
    Deaths,
    EndTheStack,
    GiveUp,
    StartAgain,
)


def test_it_is_started_again_after_longer_and_longer_and_given_up_at_the_sixth_death() -> None:
    deaths = Deaths()
    said = [deaths.died("relay", float(second), everybody_needs_it=False) for second in range(6)]
    assert said == [*(StartAgain(delay) for delay in (0.5, 1.0, 2.0, 4.0, 8.0)), GiveUp(6)]


def test_what_everybody_needs_ends_the_stack_at_the_same_death() -> None:
    deaths = Deaths()
    said = [deaths.died("kafka", float(second), everybody_needs_it=True) for second in range(6)]
    assert said == [*(StartAgain(delay) for delay in RESTART_DELAYS_SECONDS), EndTheStack()]


def test_each_process_has_its_own_deaths() -> None:
    deaths = Deaths([1.0])
    assert deaths.died("relay", 0.0, everybody_needs_it=False) == StartAgain(1.0)
    assert deaths.died("processors", 0.0, everybody_needs_it=False) == StartAgain(1.0)
    assert deaths.died("processors", 1.0, everybody_needs_it=False) == GiveUp(2)


def test_a_death_of_ten_minutes_ago_is_forgiven_and_one_a_moment_later_is_not() -> None:
    deaths = Deaths([1.0])
    assert deaths.died("relay", 5.0, everybody_needs_it=False) == StartAgain(1.0)
    assert deaths.died("relay", 5.0 + FORGIVEN_AFTER_SECONDS, everybody_needs_it=False) == StartAgain(1.0)
    assert deaths.died("relay", 4.9 + 2 * FORGIVEN_AFTER_SECONDS, everybody_needs_it=False) == GiveUp(2)


def test_what_was_mended_is_counted_anew() -> None:
    deaths = Deaths([1.0])
    deaths.died("relay", 0.0, everybody_needs_it=False)
    assert deaths.died("relay", 1.0, everybody_needs_it=False) == GiveUp(2)
    deaths.forgive("relay")
    assert deaths.died("relay", 2.0, everybody_needs_it=False) == StartAgain(1.0)
