"""Of a silence its beginning and its end are told, once each, whoever or whatever ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from events.alert import AlertSilenceAnnounced, AlertSilenced, AlertSilenceEnded, SilenceReason
from events.reference import ClockTicked, TickReason
from events.vocabulary import Mode, wire_time
from projections.silences import PROJECTION
from tests.support.domain import HOME, NOW, one
from tests.support.examples import examples
from tests.support.projected import folded
from tests.support.written import Written

UNIT = "bi:c2015:gihanga"
STREAM = f"alert/{UNIT}"


def silenced(name: str = "first", hours: int = 24) -> AlertSilenced:
    return AlertSilenced(
        silence_id=one(name),
        unit=UNIT,
        unit_name="Gihanga",
        up_to_level=2,
        until=NOW + timedelta(hours=hours),
        reason=SilenceReason.ANSWERED_ALREADY,
    )


def ended(name: str = "first") -> AlertSilenceEnded:
    return AlertSilenceEnded(silence_id=one(name), unit=UNIT)


def tick(log: Written) -> Written:
    return log.write("reference/clock", ClockTicked(nominal=log.now, reason=TickReason.HOUR))


def told(log: Written) -> list[tuple[str, str, float]]:
    """(which, what, hours after NOW) of all that was announced, in order."""
    _, derived = folded(PROJECTION, log.events)
    names = {one(name): name for name in ("first", "second", "third")}
    said: list[tuple[str, str, float]] = []
    for event in derived:
        assert isinstance(event.data, AlertSilenceAnnounced)
        assert (event.stream, event.home) == (STREAM, HOME)
        hours = next(hours for hours in range(200) if wire_time(NOW + timedelta(hours=hours)) == event.due)
        said.append((names[event.data.silence_id], str(event.data.standing), hours))
    return said


def test_time_ends_it_at_its_moment_however_late_the_next_event_is() -> None:
    log = Written().write(STREAM, silenced())
    assert told(log) == [("first", "begins", 0)]
    assert told(tick(log.after(hours=23)))[1:] == []
    assert told(tick(log.after(hours=100)))[1:] == [("first", "ends", 24)]


def test_somebody_ends_it_before_and_time_does_not_end_it_again() -> None:
    log = Written().write(STREAM, silenced()).after(hours=3).write(STREAM, ended())
    assert told(tick(log.after(hours=100))) == [("first", "begins", 0), ("first", "ends", 3)]


def test_who_was_slower_than_time_ends_nothing() -> None:
    log = Written().write(STREAM, silenced()).after(hours=30).write(STREAM, ended())
    assert told(tick(log)) == [("first", "begins", 0), ("first", "ends", 24)]


def test_silences_of_a_unit_stand_and_end_each_for_itself() -> None:
    log = Written().write(STREAM, silenced("first", 5), silenced("second", 3)).after(hours=1).write(STREAM, ended())
    log = tick(log.after(hours=9)).write(STREAM, silenced("third", 100))
    assert told(log)[2:] == [("first", "ends", 1), ("second", "ends", 3), ("third", "begins", 10)]


def test_an_exercise_is_no_silence() -> None:
    assert told(tick(Written().write(STREAM, silenced(), mode=Mode.EXERCISE).after(hours=90))) == []


def test_what_is_announced_tells_neither_who_nor_why() -> None:
    _, derived = folded(PROJECTION, Written().write(STREAM, silenced()).events)
    said = derived[0].data.wire_data()
    assert {"unit", "until", "up_to_level"} <= said.keys()
    assert not {"reason", "note", "by"} & said.keys()


def test_its_row_says_since_when_by_which_role_and_how_it_ended() -> None:
    log = Written().write(STREAM, silenced("first", 5), silenced("second", 9)).after(hours=1).write(STREAM, ended())
    rows: dict[str, list[Any]] = folded(PROJECTION, tick(log.after(hours=20)).events)[0].rows
    begun = {row[0]: row[4:7] for row in rows["begun"]}
    assert begun[str(one("first"))] == (wire_time(NOW), wire_time(NOW + timedelta(hours=5)), "reviewer")
    over = {silence_id: (at, how) for silence_id, at, how in rows["over"]}
    assert over[str(one("first"))] == (wire_time(NOW + timedelta(hours=1)), "ended")
    assert over[str(one("second"))] == (wire_time(NOW + timedelta(hours=9)), "expired")


@examples(200)
@given(st.lists(st.tuples(st.sampled_from(["first", "second", "third", "ended", "tick"]), st.integers(0, 40))))
def test_any_history_tells_of_each_once_that_it_begins_and_at_most_once_that_it_ends(
    acts: list[tuple[str, int]],
) -> None:
    log, begun = Written(), {"ended", "tick"}
    until: dict[str, int] = {}
    hours = 0
    for act, later in acts:
        hours += later
        log.after(hours=later)
        if act == "tick":
            tick(log)
        elif act == "ended":
            log.write(STREAM, *(ended(name) for name in until if until[name] > hours))
            until = {name: min(end, hours) for name, end in until.items()}
        elif act not in begun and hours < 150:
            begun.add(act)
            until[act] = hours + 10
            log.write(STREAM, silenced(act, hours + 10))
    tick(log)
    said = told(log) if hours < 150 else []
    expected = {name: end for name, end in until.items() if end <= hours}
    if hours < 150:
        assert sorted(which for which, what, _ in said if what == "begins") == sorted(until)
        assert {which: at for which, what, at in said if what == "ends"} == expected
        assert len(said) == len(until) + len(expected)
