"""A commune, a channel and one reporter fall silent: three outcomes, told once each, of nobody in particular."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.level import CoverageLost, CoverageRestored
from events.vocabulary import wire_time
from projections.alert_level import PROJECTION as LEVEL
from projections.coverage import PROJECTION
from projections.part import Unfoldable
from projections.projection import Derived, Page
from tests.support.domain import NOW
from tests.support.examples import examples
from tests.support.level_histories import BLIND_TO_SILENCE, history
from tests.support.levels import UNIT, Log
from tests.support.projected import folded

FIRST_DAY = NOW.date()
OF_UNITS = (
    *("unit", "home", "state", "since", "last_sign", "told_lost", "told", "confidence", "confidence_reason"),
    *("reporters", "silent", "next_due"),
)
OF_CHANNELS = ("unit", "channel", "home", "state", "since", "last_sign", "told_lost", "told")


def begun() -> Log:
    return Log().rules().engine(projection="coverage")


def day(number: int) -> str:
    return (FIRST_DAY + timedelta(days=number)).isoformat()


def units(page: Page) -> dict[str, dict[str, Any]]:
    return {row[0]: dict(zip(OF_UNITS, row, strict=True)) for row in page.rows.get("unit", ())}


def channels(page: Page) -> dict[tuple[str, str], dict[str, Any]]:
    return {row[:2]: dict(zip(OF_CHANNELS, row, strict=True)) for row in page.rows.get("channel", ())}


def told(derived: list[Derived]) -> list[tuple[str, str, str | None, date]]:
    said = []
    for each in derived:
        assert isinstance(each.data, CoverageLost | CoverageRestored)
        assert each.stream == f"level/{each.data.unit}"
        assert each.due == wire_time(each.data.effective_at)
        channel = None if each.data.channel is None else str(each.data.channel)
        said.append((each.data.name.removeprefix("level.coverage_"), each.data.unit, channel, each.data.since))
    return said


def three() -> Log:
    """Two reporters over each of two channels, who all give signs of life until day 3: silent from day 7 on."""
    log = begun()
    for name, channel in (("s1", "sms"), ("s2", "sms"), ("v1", "voice"), ("v2", "voice")):
        log.assigned(name, channel=channel)
    log.days(3)
    for name, channel in (("s1", "sms"), ("s2", "sms"), ("v1", "voice"), ("v2", "voice")):
        log.checked_in(name, channel=channel)
    return log


def test_one_reporter_falls_silent_and_is_counted_and_told_of_to_nobody() -> None:
    log = three().days(3).checked_in("s2").checked_in("v1", channel="voice").checked_in("v2", channel="voice").days(3)
    page, derived = folded(PROJECTION, log.events)
    assert derived == []
    row = units(page)[UNIT]
    assert (row["state"], row["reporters"], row["silent"], row["confidence"]) == ("watched", 4, 1, "medium")
    assert row["confidence_reason"] == "coverage_partial"


def test_a_channel_falls_silent_and_is_told_of_while_the_commune_is_watched() -> None:
    log = three().days(3).checked_in("v1", channel="voice").checked_in("v2", channel="voice").days(2)
    page, derived = folded(PROJECTION, log.events)
    assert told(derived) == [("lost", UNIT, "sms", date.fromisoformat(day(7)))]
    assert units(page)[UNIT]["confidence_reason"] == "channel_lost"
    rows = channels(page)
    assert (rows[UNIT, "sms"]["state"], rows[UNIT, "sms"]["since"], rows[UNIT, "sms"]["last_sign"]) == (
        "lost",
        day(7),
        day(3),
    )
    assert rows[UNIT, "voice"]["state"] == "watched"


def test_a_commune_falls_silent_and_is_told_of_with_each_of_its_channels_and_again_when_it_speaks() -> None:
    log = three().days(9)
    page, derived = folded(PROJECTION, log.events)
    lost = date.fromisoformat(day(7))
    assert told(derived) == [("lost", UNIT, None, lost), ("lost", UNIT, "sms", lost), ("lost", UNIT, "voice", lost)]
    assert {one.due for one in derived} == {"2026-05-26T22:00:00.000000Z"}
    row = units(page)[UNIT]
    assert (row["state"], row["since"], row["confidence"], row["silent"]) == ("lost", day(7), "blind", 4)
    assert row["next_due"] is None

    page, derived = folded(PROJECTION, log.checked_in("s1").events)
    restored = date.fromisoformat(day(12))
    assert told(derived)[3:] == [("restored", UNIT, None, restored), ("restored", UNIT, "sms", restored)]
    assert (units(page)[UNIT]["state"], units(page)[UNIT]["since"]) == ("watched", day(12))


def test_an_engine_that_begins_to_speak_tells_what_is_lost_then() -> None:
    log = Log().rules().assigned("a").days(9)
    assert folded(PROJECTION, log.events)[1] == []
    derived = folded(PROJECTION, log.engine(projection="coverage").events)[1]
    assert told(derived) == [
        (*each, date.fromisoformat(day(4))) for each in (("lost", UNIT, None), ("lost", UNIT, "sms"))
    ]
    assert {one.due for one in derived} == {wire_time(log.now)}
    assert {one.engine for one in derived} == {1}


def test_nothing_is_told_twice_and_what_is_unassigned_meanwhile_of_neither() -> None:
    log = begun().assigned("a").assigned("b", channel="voice", cadence_days=60).checked_in("b", channel="voice")
    log.days(6).stood_down("a").days(1)
    page, derived = folded(PROJECTION, log.events)
    assert [each[:3] for each in told(derived)] == [("lost", UNIT, "sms")]
    assert channels(page)[UNIT, "sms"]["state"] == "unassigned"
    derived = folded(PROJECTION, log.assigned("c").events)[1]
    assert [each[:3] for each in told(derived)] == [("lost", UNIT, "sms")]
    derived = folded(PROJECTION, log.checked_in("c").events)[1]
    assert [each[:3] for each in told(derived)] == [("lost", UNIT, "sms"), ("restored", UNIT, "sms")]


def test_when_all_stand_down_the_commune_is_lost_at_that_moment() -> None:
    log = begun().assigned("a").checked_in("a").after(days=1).stood_down("a")
    page, derived = folded(PROJECTION, log.events)
    assert told(derived) == [("lost", UNIT, None, date.fromisoformat(day(1)))]
    row = units(page)[UNIT]
    assert (row["reporters"], row["silent"], row["last_sign"]) == (0, 0, day(0))


def test_other_rules_may_say_nothing_of_coverage_and_later_ones_again() -> None:
    log = begun().assigned("a").days(9).rules(BLIND_TO_SILENCE)
    page, derived = folded(PROJECTION, log.events)
    assert units(page)[UNIT]["state"] == "unknown"
    assert len(derived) == 2
    page, again = folded(PROJECTION, log.days(1).rules().events)
    assert (units(page)[UNIT]["state"], units(page)[UNIT]["since"]) == ("lost", day(10))
    assert again == derived


def test_an_engine_that_this_program_has_not_stops_the_worker() -> None:
    with pytest.raises(Unfoldable, match="engine 2 of coverage speaks, this program knows up to 1"):
        folded(PROJECTION, Log().engine(2, projection="coverage").events)


@examples(60)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 80))
def test_the_level_and_this_see_the_same(seed: int, length: int) -> None:
    log = history(seed, length)
    mine = {unit: row["confidence_reason"] for unit, row in units(folded(PROJECTION, log)[0]).items()}
    levels = {row[1]: row[11] for row in folded(LEVEL, log)[0].rows.get("unit", ())}
    assert {unit: reason for unit, reason in levels.items() if reason != "coverage_unknown"} == {
        unit: reason for unit, reason in mine.items() if reason != "coverage_unknown"
    }


@examples(60)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 80))
def test_losses_and_restorations_take_turns_and_name_nobody(seed: int, length: int) -> None:
    log = [*Log().engine(projection="coverage").events, *history(seed, length)]
    page, derived = folded(PROJECTION, log)
    lost: dict[tuple[str, str | None], str] = {}
    for name, unit, channel, _ in told(derived):
        assert lost.get((unit, channel), "restored") != name
        lost[unit, channel] = name
    reporters = {event.stream.partition("/")[2] for event in log if event.stream.startswith("reporter/")}
    seen = [str(row) for writing in ("unit", "channel", "home") for row in page.rows.get(writing, ())]
    seen += [f"{each.stream} {each.seed} {each.data.wire_data()}" for each in derived]
    seen += [str(row) for row in folded(LEVEL, log)[0].rows.get("unit", ())]
    seen += [str(row) for row in folded(LEVEL, log)[0].rows.get("history", ())]
    assert not [text for text in seen for reporter in reporters if reporter in text]
