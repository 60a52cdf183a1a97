"""A level while nobody watches: it may rise and never falls, nothing fades, until somebody watches again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from events.alert import AlertChange, AlertIssued
from events.level import LevelChanged
from events.vocabulary import wire_time
from projections.alert_level import PROJECTION
from projections.alert_level.recompute import recompute
from projections.alert_level.rows import unit_read
from projections.alert_level.rules import Rules
from projections.projection import Derived
from projections.taken import Taken
from projections.watching import SIGNS
from tests.support.examples import examples
from tests.support.level_histories import BLIND_TO_SILENCE, history, vela
from tests.support.levels import FIRST_RULES, UNIT, Log, stood
from tests.support.projected import folded


def watched(kind: str = "violence", severity: str = "severe") -> Log:
    """A commune with one reporter and one case, at level 3; the reporter is silent from the fourth day on."""
    return Log().rules().engine().assigned("a").opened("a", kind).assessed("a", severity)


def row(log: Log, unit: str = UNIT) -> dict[str, Any]:
    return stood(log).units[unit]


def test_what_fades_does_so_up_to_the_day_on_which_nobody_watches_any_more() -> None:
    seen, unseen = Log().rules().engine().opened("a").assessed("a"), watched()
    for _ in range(30):
        seen.days(1)
        unseen.days(1)
    assert (stood(seen).level(), stood(seen).points()) == (1, 5_000)
    assert (stood(unseen).level(), stood(unseen).points()) == (3, 30_000)
    blind = row(unseen)
    assert (blind["confidence"], blind["confidence_reason"], blind["last_known"]) == (
        "blind",
        "coverage_lost",
        (Log().now.date() + timedelta(days=4)).isoformat(),
    )


def test_once_somebody_watches_again_it_is_settled_as_if_there_had_been_no_pause() -> None:
    log = watched().days(30).checked_in("a")
    after = stood(log)
    assert (after.level(), after.points()) == (1, 5_000)
    assert after.told()[-1] == (3, 1, "coverage")
    assert (after.units[UNIT]["confidence"], after.units[UNIT]["last_known"]) == ("high", None)
    assert after.changes[-1].confidence_reason == "coverage_full"
    assert after.alerts[-1].change == AlertChange.LOWERED
    assert stood(log.days(30)).points() == 5_000


def test_what_is_resolved_or_taken_back_while_nobody_watches_lowers_nothing_until_then() -> None:
    log = watched().opened("b").assessed("b").linked("b", "r").days(10).resolved("a").withdrawn("r")
    assert stood(log).level() == 3
    assert stood(log.days(100)).level() == 3
    assert stood(log.checked_in("a")).level() == 0


def test_what_was_taken_back_while_nobody_watched_is_corrected_once_somebody_does() -> None:
    log = Log().rules().engine().assigned("a").opened("a", reports=("r",)).assessed("a").days(10).withdrawn("r")
    told = len(stood(log).alerts)
    after = stood(log.days(30).checked_in("a"))
    assert after.told()[-1] == (3, 0, "retraction")
    assert [one.change for one in after.alerts[told:]] == [AlertChange.CANCELLED]
    assert after.changes[-1].confidence_reason == "coverage_full"


def test_what_ended_while_nobody_watched_is_no_correction() -> None:
    log = watched().opened("b", "tension", reports=("r",)).days(10).withdrawn("r").resolved("a").checked_in("a")
    after = stood(log)
    assert (after.told()[-1], after.alerts[-1].change) == ((3, 1, "coverage"), AlertChange.LOWERED)


def test_what_was_taken_back_and_was_so_after_all_is_no_correction() -> None:
    log = Log().rules().engine().assigned("a").opened("a", reports=("r",)).assessed("a").days(10).withdrawn("r")
    assert stood(log).units[UNIT]["taken_back"]
    log.linked("a", "s")
    assert not stood(log).units[UNIT]["taken_back"]
    assert stood(log.resolved("a").checked_in("a")).told()[-1] == (3, 1, "coverage")


def test_a_reform_forgets_nothing_of_what_was_taken_back() -> None:
    log = Log().rules().gazetteer(vela("d1")).engine().assigned("a", "ve:c:aro", home="ve:c:aro")
    log.opened("x", unit="ve:c:aro", home="ve:c:aro", reports=("r",)).assessed("x", home="ve:c:aro").days(60)
    log.withdrawn("r", home="ve:c:aro").gazetteer(vela("d2")).days(1).checked_in("a", home="ve:c:aro")
    assert stood(log).told("ve:c2:abel") == [(0, 3, "gazetteer"), (3, 0, "retraction")]


def test_rules_that_do_not_say_so_call_it_what_they_always_did() -> None:
    silent = FIRST_RULES.replace("corrects_later = true\n", "")
    log = Log().rules(silent).engine().assigned("a").opened("a", reports=("r",)).assessed("a").days(10).withdrawn("r")
    after = stood(log.checked_in("a"))
    assert (after.told()[-1], after.alerts[-1].change) == ((3, 0, "coverage"), AlertChange.LOWERED)


def test_what_happens_while_nobody_watches_raises_the_level() -> None:
    log = watched().days(10).opened("b", occurred=0).assessed("b", "extreme")
    change = stood(log).changes[-1]
    assert (change.before, change.after, change.cause, change.confidence) == (3, 4, "evidence", "blind")
    assert recompute(change, Rules(FIRST_RULES)) == (change.points, 4)


def test_an_election_window_that_begins_while_nobody_watches_counts() -> None:
    log = watched(severity="moderate").days(10)
    assert stood(log).level() == 2
    log.election(log.now.date() + timedelta(days=30)).days(15)
    assert stood(log).points() == 15_000 * 1500 // 1000


def test_a_reporter_who_stands_down_leaves_a_commune_that_nobody_watches() -> None:
    log = watched().after(days=1).stood_down("a")
    blind = row(log)
    assert (blind["confidence"], blind["last_known"]) == ("blind", log.now.date().isoformat())
    assert stood(log.days(60)).level() == 3


def test_a_report_of_the_channel_keeps_it_watched_by_few() -> None:
    log = watched()
    for _ in range(20):
        log.days(1).received("r")
    assert row(log)["confidence_reason"] == "few_reporters"
    assert stood(log).points() == 10_000


def test_rules_that_say_nothing_of_coverage_end_the_pause_by_their_own_cause() -> None:
    log = watched().days(30).rules(BLIND_TO_SILENCE)
    after = stood(log)
    assert after.told()[-1] == (3, 1, "rules")
    assert after.units[UNIT]["confidence_reason"] == "coverage_unknown"
    again = stood(log.days(1).rules())
    assert (again.units[UNIT]["confidence"], again.level()) == ("blind", 1)


def test_a_watched_commune_without_cases_stands_there_calm_and_a_silent_one_does_not_pass_for_it() -> None:
    log = Log().rules().assigned("a", "calm").assigned("b", "silent").days(9).checked_in("a")
    units = stood(log).units
    assert [(units[unit]["level"], units[unit]["confidence"]) for unit in ("calm", "silent")] == [
        (0, "high"),
        (0, "blind"),
    ]


def test_a_case_that_is_over_is_laid_by_at_the_midnight_that_would_have_done_it() -> None:
    log = watched().days(1).resolved("a").days(90)
    assert not stood(log).weight("a")["laid_by"]
    assert not stood(log.checked_in("a")).weight("a")["laid_by"]
    assert stood(log.days(1)).weight("a")["laid_by"]


def test_who_is_sent_to_a_commune_that_nobody_watches_lowers_nothing_until_they_speak() -> None:
    log = watched().checked_in("a").days(60).assigned("b")
    assert (stood(log).level(), row(log)["confidence"]) == (3, "blind")
    assert stood(log.checked_in("b")).told()[-1][2] == "coverage"


def test_a_reform_of_communes_that_nobody_watches_lowers_nothing() -> None:
    """Aro, at an alert, and Bel, calm, become Abel: the people of Aro are no safer for it."""
    log = Log().rules().gazetteer(vela("d1")).engine().assigned("a", "ve:c:aro", home="ve:c:aro")
    log.assigned("b", "ve:c:bel", home="ve:c:aro").opened("x", unit="ve:c:aro", home="ve:c:aro")
    log.assessed("x", home="ve:c:aro").days(60)
    assert stood(log).level("ve:c:aro") == 3
    after = stood(log.gazetteer(vela("d2")).days(60))
    assert (after.level("ve:c2:abel"), after.units["ve:c2:abel"]["confidence"]) == (3, "blind")
    assert after.units["ve:c2:abel"]["last_known"] == stood(log).units["ve:c2:abel"]["last_known"] < str(log.now.date())
    (moved,) = [one for one in after.changes if one.unit == "ve:c2:abel"]
    assert (moved.before, moved.after, moved.held, moved.cause) == (0, 3, 3, "gazetteer")
    assert recompute(moved, Rules(FIRST_RULES))[1] == 3
    assert stood(log.checked_in("b", home="ve:c:aro")).level("ve:c2:abel") == 1


def test_a_level_that_rises_because_peace_went_by_meanwhile_is_no_escalation() -> None:
    rules = (
        FIRST_RULES.replace("[[7, 700], [14, 400], [30, 0]]", "[[7, 0]]")
        .replace("[[3, 800], [7, 600], [14, 300], [30, 0]]", "[[300, 0]]")
        .replace("up = [4000, 15000,", "up = [4000, 10000,")
        .replace("down = [2500, 11000,", "down = [2500, 9000,")
        .replace("from_level = 2", "from_level = 1")
    )
    log = Log().rules(rules).engine().assigned("a")
    for name in "tuvw":
        log.opened(name, "tension", reports=(name,)).assessed(name, "moderate")
    for name in "pqr":
        log.opened(name, "peace_initiative", reports=(name,)).assessed(name)
    before, after = stood(log.days(9)), stood(log.checked_in("a"))
    assert (before.points(), before.level(), before.units[UNIT]["confidence"]) == (7_875, 1, "blind")
    assert (after.points(), after.told()[-1]) == (11_250, (1, 2, "coverage"))
    assert after.alerts[-1].change == AlertChange.CORRECTED


@examples(60)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 80))
def test_a_level_that_nobody_watches_never_falls(seed: int, length: int) -> None:
    levels: dict[str, tuple[int, str]] = {}
    page, _ = folded(PROJECTION, history(seed, length))
    for values in page.rows.get("unit", ()):
        row = unit_read(values)
        was, reason = levels.get(row["unit"], (0, ""))
        if reason == row["confidence_reason"] == "coverage_lost":
            assert row["level"] >= was
        levels[row["unit"]] = (row["level"] or 0, row["confidence_reason"])


@examples(60)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 80))
def test_rules_without_coverage_know_nothing_of_who_watches(seed: int, length: int) -> None:
    """So a history under such rules says and shows what it did before coverage was known at all."""
    log = [_without_coverage(event) for event in history(seed, length)]
    with_signs, without = folded(PROJECTION, log), folded(PROJECTION, [one for one in log if one.type not in SIGNS])
    assert _last(with_signs[0].rows) == _last(without[0].rows)
    assert _in_order(with_signs[1]) == _in_order(without[1])
    reasons = {one.data.confidence_reason for one in with_signs[1] if isinstance(one.data, LevelChanged)}
    assert reasons <= {"coverage_unknown"}


@examples(60)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 80))
def test_twice_as_many_reporters_who_see_the_same_raise_no_level(seed: int, length: int) -> None:
    log = list(history(seed, length))
    doubled = [one for event in log for one in (event, *_again(event))]
    once, twice = folded(PROJECTION, log), folded(PROJECTION, doubled)
    assert _last(once[0].rows) == _last(twice[0].rows)
    assert [_told(one) for one in _in_order(once[1])] == [_told(one) for one in _in_order(twice[1])]


@examples(30)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 60))
def test_the_same_history_four_years_later_says_the_same(seed: int, length: int) -> None:
    """Four years on, a day is of the same month and of another day of the week: what is known by its week is left out.

    So are rules of a zone with summer time, which begins on a Sunday.
    """
    log = [event for event in history(seed, length) if "'precision': 'week'" not in str(event.data)]
    log = [event for event in log if "Europe/Paris" not in str(event.data.get("content", ""))]
    then, later = folded(PROJECTION, log)[1], folded(PROJECTION, [_later(event) for event in log])[1]
    assert [_told(one) for one in later] == [_told(one) for one in then]


def _last(rows: dict[str, list[tuple[Any, ...]]]) -> dict[Any, Any]:
    """What stands in the end, but for who watches; explanations of the past may differ in how sure they were."""
    keys = {"case": 2, "unit": 2, "said": 1}
    return {(name, *row[: keys[name]]): row for name in keys for row in rows.get(name, ())}


def _in_order(derived: list[Derived]) -> list[Derived]:
    return sorted(derived, key=lambda one: one.order)


def _without_coverage(event: Taken) -> Taken:
    if event.type != "reference.rules_adopted":
        return event
    return replace(event, data=event.data | {"content": event.data["content"].partition("[coverage]")[0]})


def _again(event: Taken) -> list[Taken]:
    """The same of another reporter, who sees the same: a sign of the same day, or another report of it."""
    if event.type not in SIGNS:
        return []
    noun, _, name = event.stream.partition("/")
    return [replace(event, stream=f"{noun}/{name[:-1]}{'0' if name[-1] != '0' else '1'}")]


YEARS = timedelta(days=1461)


def _later(event: Taken) -> Taken:
    return replace(event, time=_moved(event.time), data=_moved(event.data))


def _moved(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: one if key == "content" else _moved(one) for key, one in value.items()}
    if not isinstance(value, str) or value[:2] != "20":
        return value
    if value[4:5] != "-" or value[7:8] != "-":
        return value
    moved = datetime.fromisoformat(value) + YEARS
    return moved.date().isoformat() if len(value) == 10 else wire_time(moved)


def _told(one: Derived) -> tuple[Any, ...]:
    match one.data:
        case LevelChanged() as change:
            return (one.stream, change.before, change.after, change.cause, change.points)
        case AlertIssued() as alert:
            return (one.stream, alert.before, alert.after, alert.change, alert.kinds)
    return (one.stream,)
