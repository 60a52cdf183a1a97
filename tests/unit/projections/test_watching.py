"""Who watches a unit, who is silent, and what is lost: on days that are counted from the first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.watching import ASSIGNED, CHECKED_IN, RECEIVED, STOOD_DOWN, Coverage, Patience, Standing, Watch
from tests.support.examples import examples

PATIENCE = Patience(missed=2, told_within_days=1, high_from=800, medium_from=500)
ROWS = {"hill": "commune", "zone": "commune", "far": "elsewhere"}
DAY_ONE = 739_000


def watch(rows: Mapping[str, str] = ROWS) -> Watch:
    made = Watch()
    made.place(lambda unit: rows.get(unit, unit))
    return made


class Told:
    """A watch that is told things on days; what one thing touches is kept."""

    def __init__(self) -> None:
        self.watch = watch()
        self.touched: set[str] = set()

    def tell(self, type_: str, stream: str, data: dict[str, Any], day: int) -> Told:
        self.touched = self.watch.take(type_, stream, data, DAY_ONE + day, lambda on: DAY_ONE + int(on))
        return self

    def assigned(self, name: str, *places: str, day: int = 0, channel: str = "sms", every: int = 1) -> Told:
        data = {"units": list(places or ("commune",)), "channel": channel, "cadence_days": every}
        return self.tell(ASSIGNED, f"reporter/{name}", data, day)

    def checked_in(self, name: str, *, on: int, day: int | None = None, channel: str = "sms") -> Told:
        data = {"on": date.fromordinal(DAY_ONE + on).isoformat(), "channel": channel}
        return self.tell(CHECKED_IN, f"reporter/{name}", data, on if day is None else day)

    def stood_down(self, name: str, *, day: int = 0) -> Told:
        return self.tell(STOOD_DOWN, f"reporter/{name}", {}, day)

    def reported(
        self, *, on: int, day: int | None = None, place: str = "commune", channel: str = "sms", by: str = "self"
    ) -> Told:
        data = {"place": {"unit": place}, "channel": channel, "recorded_by": by, "received_at": str(on)}
        return self.tell(RECEIVED, "report/1", data, on if day is None else day)

    def on(self, day: int, unit: str = "commune") -> Standing:
        return self.watch.standing(unit, PATIENCE, DAY_ONE + day)

    def coverage(self, day: int, unit: str = "commune") -> Coverage:
        return self.on(day, unit).coverage


def test_a_reporter_is_silent_once_two_cadences_are_over_and_a_day_to_tell_of_them() -> None:
    told = Told().assigned("a").assigned("b").checked_in("b", on=3)
    assert [told.on(day).silent for day in (2, 3, 4, 5, 6, 7)] == [0, 0, 1, 1, 1, 2]
    assert told.on(3).next_day == DAY_ONE + 4
    assert told.on(4).next_day == DAY_ONE + 7
    assert told.on(7).next_day is None


def test_a_commune_a_channel_and_one_reporter_that_fall_silent_are_three_different_things() -> None:
    told = Told()
    for number in range(4):
        told.assigned(f"s{number}").assigned(f"v{number}", channel="voice")
    for number in range(4):
        told.checked_in(f"v{number}", on=9, channel="voice")
    for number in range(1, 4):
        told.checked_in(f"s{number}", on=9)
    one = told.on(10)
    assert (one.coverage, one.silent, [line.lost for line in one.lines]) == (Coverage.FULL, 1, [False, False])
    channel = told.checked_in("v0", on=14, channel="voice").checked_in("v1", on=14, channel="voice")
    channel.checked_in("v2", on=14, channel="voice").checked_in("v3", on=14, channel="voice")
    lost = channel.on(15)
    assert lost.coverage is Coverage.CHANNEL_LOST
    assert [(line.channel, line.lost) for line in lost.lines] == [("sms", True), ("voice", False)]
    assert told.coverage(18) is Coverage.LOST


def test_whoever_checks_in_another_way_lives_and_their_channel_does_not() -> None:
    told = Told().assigned("a").checked_in("a", on=9, channel="voice")
    assert (told.on(10).silent, told.coverage(10)) == (0, Coverage.CHANNEL_LOST)


def test_a_report_keeps_a_channel_and_no_reporter() -> None:
    told = Told().assigned("a").assigned("b", every=30).reported(on=40, place="hill")
    assert told.on(43).silent == 1
    told = Told().assigned("a").reported(on=9, place="hill")
    standing = told.on(10)
    assert (standing.coverage, standing.silent, standing.lines[0].lost) == (Coverage.FEW, 1, False)
    assert [told.coverage(day) for day in (12, 13)] == [Coverage.FEW, Coverage.LOST]


def test_a_report_counts_for_as_long_as_the_most_frequent_signs_over_its_channel() -> None:
    told = Told().assigned("a", every=7).assigned("b", every=2).reported(on=50)
    assert [told.coverage(day) for day in (55, 56)] == [Coverage.FEW, Coverage.LOST]


@pytest.mark.parametrize("by", ["self", "coordinator", "operator"])
def test_what_somebody_told_is_a_sign_whoever_wrote_it_down(by: str) -> None:
    assert Told().assigned("a").reported(on=9, by=by).coverage(10) is Coverage.FEW


@pytest.mark.parametrize(
    "report",
    [
        {"by": "system"},
        {"by": "a word of a later version"},
        {"channel": "partner"},
        {"place": "unplaced"},
        {"place": "far"},
    ],
)
def test_what_is_no_sign_of_this_channel_here_keeps_nothing(report: dict[str, Any]) -> None:
    assert Told().assigned("a").reported(on=9, **report).coverage(10) is Coverage.LOST


def test_no_sign_is_of_a_later_day_than_it_was_recorded_on() -> None:
    assert Told().assigned("a").checked_in("a", on=30, day=2).coverage(6) is Coverage.LOST
    assert Told().assigned("a").reported(on=30, day=2).coverage(6) is Coverage.LOST


def test_an_earlier_sign_told_late_takes_nothing_back() -> None:
    told = Told().assigned("a").checked_in("a", on=5).checked_in("a", on=3, day=6)
    assert told.touched == set()
    assert told.on(8).silent == 0
    assert told.reported(on=4, day=7).reported(on=2, day=7).touched == set()


def test_a_unit_that_nobody_ever_covered_is_unknown_and_one_that_nobody_covers_any_more_is_lost() -> None:
    told = Told().reported(on=1)
    assert told.coverage(1) is Coverage.UNKNOWN
    told.assigned("a", "hill", day=1).checked_in("a", on=1)
    assert told.coverage(1) is Coverage.FULL
    assert told.stood_down("a", day=2).touched == {"commune"}
    assert (told.on(2).coverage, told.on(2).assigned, told.on(2).lines) == (Coverage.LOST, 0, ())


def test_an_assignment_is_no_sign_and_its_reporter_is_waited_for_as_long_as_silence_would_take() -> None:
    told = Told().assigned("a")
    assert [told.coverage(day) for day in (0, 3, 4)] == [Coverage.UNKNOWN, Coverage.UNKNOWN, Coverage.LOST]
    assert told.on(0) == Standing(Coverage.UNKNOWN, assigned=1, next_day=DAY_ONE + 4)
    assert (told.on(4).silent, told.on(4).last) == (1, None)
    assert told.checked_in("a", on=5).coverage(5) is Coverage.FULL


def test_once_a_unit_is_lost_somebody_has_to_speak_whoever_is_assigned() -> None:
    told = Told().assigned("a", every=30).stood_down("a", day=1)
    told.assigned("b", "zone", day=1).assigned("a", day=1)
    assert [told.coverage(day) for day in (1, 2, 60)] == [Coverage.LOST] * 3
    assert told.checked_in("b", on=0, day=1).coverage(1) is Coverage.LOST
    assert told.checked_in("b", on=1).coverage(1) is Coverage.FULL


def test_who_is_waited_for_takes_nothing_from_those_who_speak() -> None:
    told = Told().assigned("a").checked_in("a", on=0).assigned("b", channel="voice").assigned("c", channel="voice")
    standing = told.on(0)
    assert (standing.coverage, standing.assigned, standing.silent) == (Coverage.FULL, 3, 0)
    assert [line.channel for line in standing.lines] == ["sms"]
    assert [(line.channel, line.lost) for line in told.checked_in("a", on=4).on(4).lines] == [
        ("sms", False),
        ("voice", True),
    ]
    assert [line.lost for line in told.reported(on=4, channel="voice").on(4).lines] == [False, False]


def test_a_first_assignment_put_right_on_its_day_is_still_the_first() -> None:
    told = Told().assigned("a").assigned("a", every=2)
    assert [told.coverage(day) for day in (5, 6)] == [Coverage.UNKNOWN, Coverage.LOST]
    assert Told().assigned("a").assigned("a", day=1).coverage(1) is Coverage.LOST


def test_whoever_goes_to_another_place_leaves_the_first_to_nobody() -> None:
    told = Told().assigned("a").checked_in("a", on=0).assigned("a", "far", day=1)
    assert told.touched == {"commune", "elsewhere"}
    assert told.coverage(1) is Coverage.LOST
    assert told.coverage(1, "elsewhere") is Coverage.UNKNOWN


def test_without_rules_about_silence_nothing_is_known() -> None:
    told = Told().assigned("a")
    assert told.watch.standing("commune", None, DAY_ONE) == Standing(Coverage.UNKNOWN)


def test_another_gazetteer_moves_who_watches_and_what_was_heard() -> None:
    told = Told().assigned("a", "hill").reported(on=9, place="hill").assigned("b", "zone", day=9)
    told.checked_in("b", on=9).watch.place(lambda unit: {"hill": "north", "zone": "south"}.get(unit, unit))
    assert told.coverage(10, "north") is Coverage.FEW
    assert told.coverage(10, "south") is Coverage.FULL
    assert told.coverage(10) is Coverage.UNKNOWN
    assert sorted(told.watch.covered()) == ["north", "south"]


ACTS = st.tuples(st.sampled_from(["assign", "sign", "down", "report"]), st.integers(0, 3), st.integers(0, 5))


@examples(150)
@given(acts=st.lists(ACTS, max_size=30), later=st.integers(0, 30))
def test_twice_as_many_reporters_who_do_the_same_are_as_good_as_once(acts: list[Any], later: int) -> None:
    once, twice = Told(), Told()
    day = _played(once, acts, [""])
    _played(twice, acts, ["", "too"])
    alone, together = once.on(day + later), twice.on(day + later)
    assert together.coverage is alone.coverage
    assert (together.assigned, together.silent) == (2 * alone.assigned, 2 * alone.silent)
    assert together.lines == alone.lines


@examples(150)
@given(acts=st.lists(ACTS, max_size=30))
def test_what_was_drawn_is_all_that_is_known(acts: list[Any]) -> None:
    told = Told()
    day = _played(told, acts, [""])
    read = Watch()
    for source, body in told.watch.drawn():
        read.hold(source, body)
    read.place(lambda unit: ROWS.get(unit, unit))
    for later in range(30):
        for unit in ("commune", "elsewhere"):
            assert read.standing(unit, PATIENCE, DAY_ONE + day + later) == told.on(day + later, unit)
    assert told.watch.drawn() == []


@examples(150)
@given(acts=st.lists(ACTS, max_size=30))
def test_nothing_turns_between_a_day_and_the_next_that_is_named(acts: list[Any]) -> None:
    told = Told()
    today = told.on(_played(told, acts, [""]))
    begins = _played(Told(), acts, [""])
    for later in range(1, 40):
        then = told.on(begins + later)
        if today.next_day is not None and DAY_ONE + begins + later >= today.next_day:
            break
        assert then == today


def _played(told: Told, acts: list[Any], names: list[str]) -> int:
    day = 0
    for what, who, number in acts:
        day += number
        for name in names:
            match what:
                case "assign":
                    places = [("commune",), ("hill", "far"), ("zone",), ("far",)][who]
                    told.assigned(f"{who}{name}", *places, day=day, channel=["sms", "voice"][number % 2], every=1 + who)
                case "sign":
                    told.checked_in(f"{who}{name}", on=day - number % 3, day=day, channel=["sms", "voice"][who % 2])
                case "down":
                    told.stood_down(f"{who}{name}", day=day)
                case _:
                    told.reported(on=day - number % 3, day=day, place=["hill", "far", "commune", "zone"][who])
    return day
