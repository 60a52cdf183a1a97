"""People tell another level than the computed one for a while: never instead of it, and never hiding a rise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from events.vocabulary import wire_time
from tests.support.level_histories import vela
from tests.support.levels import UNIT, Log, stood


def told(log: Log) -> list[tuple[int, int, str]]:
    """What strangers are told, in order: from, to, how."""
    return [(one.before, one.after, one.change.value) for one in stood(log).alerts]


def an_alert() -> Log:
    """Severe violence that the committee confirmed: 40 points, level 3."""
    return Log().rules().engine().opened("a", severity="severe").assessed("a")


RAISED = [(0, 2, "raised"), (2, 3, "raised")]


def test_a_lower_level_is_told_as_a_correction_and_the_computed_one_stays() -> None:
    log = an_alert().overridden(2)
    assert told(log) == [*RAISED, (3, 2, "corrected")]
    assert stood(log).level() == 3


def test_below_what_strangers_are_told_of_the_alert_is_cancelled() -> None:
    log = an_alert().overridden(1)
    assert told(log) == [*RAISED, (3, 1, "cancelled")]
    assert stood(log).alerts[-1].cancels is not None


def test_a_higher_level_is_raised_and_ends_as_a_correction_at_its_very_moment() -> None:
    log = an_alert().overridden(4, hours=5)
    begun = log.now
    log.after(hours=20).tick()
    assert told(log) == [*RAISED, (3, 4, "raised"), (4, 3, "corrected")]
    ended = [one for one in stood(log).derived if one.stream == f"alert/{UNIT}"][-1]
    assert ended.due == wire_time(begun + timedelta(hours=5))


def test_a_rise_above_both_is_told_at_once() -> None:
    log = an_alert().overridden(1).after(hours=1)
    log.opened("b", severity="extreme").assessed("b", "extreme")
    assert stood(log).level() == 4
    assert told(log)[-1] == (1, 4, "raised")


def test_a_fall_is_not_told_meanwhile_and_a_rise_after_it_is() -> None:
    log = an_alert().overridden(2, hours=24 * 20).resolved("a")
    assert stood(log).level() == 1
    assert told(log) == [*RAISED, (3, 2, "corrected")]
    log.after(hours=24 * 9).opened("b", severity="severe").assessed("b")
    assert stood(log).level() == 3
    assert told(log) == [*RAISED, (3, 2, "corrected"), (2, 3, "raised")]


def test_a_later_override_takes_the_place_of_an_earlier() -> None:
    log = an_alert().overridden(4, hours=5).overridden(2, hours=50).after(hours=10).tick()
    assert told(log) == [*RAISED, (3, 4, "raised"), (4, 2, "corrected")]


def test_one_that_is_ended_by_hand_is_over() -> None:
    log = an_alert().overridden(2, hours=50).after(hours=1).override_ended()
    assert told(log) == [*RAISED, (3, 2, "corrected"), (2, 3, "corrected")]
    assert told(log.after(hours=100).tick()) == [*RAISED, (3, 2, "corrected"), (2, 3, "corrected")]


def test_one_whose_moment_is_over_when_it_is_recorded_does_nothing() -> None:
    assert told(an_alert().overridden(1, hours=0)) == RAISED


def test_of_a_place_of_which_nothing_was_heard_people_may_tell_too() -> None:
    log = Log().rules().engine().overridden(3, hours=2).after(hours=3).tick()
    assert told(log) == [(0, 3, "raised"), (3, 0, "cancelled")]
    assert stood(log).units == {}


def test_before_an_engine_speaks_it_waits_and_is_told_at_the_adoption() -> None:
    log = Log().rules().overridden(3, hours=20)
    assert told(log) == []
    assert told(log.engine()) == [(0, 3, "corrected")]


def test_the_ninth_saying_comes_before_the_tenth() -> None:
    (one,) = (each for each in stood(Log().rules().overridden(3).engine()).derived)
    said = [replace(one, seed=f"alert/{UNIT}/{number}") for number in (10, 9, 100)]
    assert [each.seed.rpartition("/")[2] for each in sorted(said, key=lambda each: each.order)] == ["9", "10", "100"]


def test_a_reform_ends_what_was_decided_of_a_commune_that_is_no_more() -> None:
    aro = {"unit": "ve:c:aro", "home": "ve:c:aro"}
    log = Log().rules().gazetteer(vela("d1")).engine().overridden(4, hours=24 * 9, **aro)
    assert told(log) == [(0, 4, "raised")]
    assert told(log.after(hours=1).gazetteer(vela("d2"))) == [(0, 4, "raised"), (4, 0, "cancelled")]
    assert told(log.after(hours=24 * 20).tick()) == [(0, 4, "raised"), (4, 0, "cancelled")]


def test_what_was_decided_before_there_were_rules_is_told_with_the_first_ones() -> None:
    assert told(Log().engine().overridden(3).after(hours=1).rules()) == [(0, 3, "corrected")]
