"""When a level changes, for which cause, and what the log and strangers are told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from events.alert import AlertChange, Code
from events.vocabulary import Mode
from projections.alert_level.change import Change
from projections.alert_level.engine import FirstEngine
from projections.alert_level.home import EngineHome
from projections.alert_level.rules import Rules
from projections.alert_level.shared import Shared
from projections.part import Part, Unfoldable
from projections.projection import derived_id
from tests.support.level_histories import OTHER_RULES, vela
from tests.support.levels import FIRST_RULES, UNIT, Log, stood
from tests.unit.alert_level.second_engine import WITH_A_SECOND


def begun() -> Log:
    return Log().rules().engine()


def test_before_any_rules_nothing_is_computed() -> None:
    log = Log().engine().opened("a").assessed("a", "extreme").days(3)
    after = stood(log)
    assert (after.level(), after.units[UNIT]["open_cases"], after.derived) == (None, 1, [])


def test_the_first_rules_begin_from_calm() -> None:
    after = stood(Log().engine().opened("a").assessed("a").days(3).rules())
    assert after.told() == [(0, 2, "rules")]
    assert [alert.change for alert in after.alerts] == [AlertChange.CORRECTED]


def test_other_rules_weigh_everything_anew_at_that_moment() -> None:
    log = begun().opened("a", "tension").assessed("a").rules(OTHER_RULES)
    assert stood(log).told() == [(0, 1, "evidence"), (1, 2, "rules")]
    assert stood(log).units[UNIT]["rules_hash"] == stood(log).changes[-1].rules_hash


@pytest.mark.parametrize(
    ("act", "cause"),
    [("resolved", "resolved"), ("closed", "resolved"), ("not_ratified", "retraction"), ("assessed", "retraction")],
)
def test_an_act_is_the_cause_of_what_it_changes(act: str, cause: str) -> None:
    log = begun().opened("a", provisional=True, threat=True, severity="extreme").opened("b", "tension")
    more = {"assessed": ("minor", "5")}.get(act, ())
    getattr(log, act)("a", *more)
    assert stood(log).told()[-1][2] == cause


def test_a_lower_assessment_corrects_what_was_told_and_a_higher_one_is_an_escalation() -> None:
    log = begun().opened("a").assessed("a", "extreme").assessed("a", "minor", "3").assessed("a", "severe")
    after = stood(log)
    assert [cause for _, _, cause in after.told()] == ["evidence", "evidence", "retraction", "evidence"]
    assert [alert.change for alert in after.alerts] == [
        AlertChange.RAISED,
        AlertChange.CANCELLED,
        AlertChange.RAISED,
    ]
    assert after.alerts[1].cancels == derived_id(f"alert/{UNIT}/1")


def test_a_case_found_untrue_takes_back_what_was_told() -> None:
    after = stood(begun().opened("a").assessed("a").assessed("a", state="confirmed_false"))
    assert (after.told()[-1][1:], after.alerts[-1].change) == ((0, "retraction"), AlertChange.CANCELLED)


def test_a_graver_and_less_certain_assessment_raises_what_it_raises() -> None:
    log = begun().opened("a", "tension").assessed("a", "severe", "1").assessed("a", "extreme", "4")
    after = stood(log)
    assert after.told() == [(0, 1, "evidence"), (1, 3, "evidence")]
    assert [alert.change for alert in after.alerts] == [AlertChange.RAISED]


def test_peace_that_is_less_certain_than_was_said_lets_a_level_rise_and_corrects_nothing() -> None:
    log = begun().opened("p", "peace_initiative").assessed("p", "minor", "1")
    log.opened("a", "tension").assessed("a", "moderate", "2")
    assert stood(log).level() == 0
    assert stood(log.assessed("p", "minor", "5")).told()[-1] == (0, 1, "evidence")


def test_a_level_that_only_a_mistake_had_reached_stays_between_its_two_thresholds() -> None:
    log = begun().opened("a", "tension").assessed("a", "severe").opened("b", "tension", reports=("r",)).assessed("b")
    assert (stood(log).points(), stood(log).level()) == (18_000, 2)
    after = stood(log.withdrawn("r"))
    assert (after.points(), after.level()) == (12_000, 2)
    assert stood(log.days(3)).told()[-1] == (2, 1, "fading")


def test_rules_that_do_not_say_so_call_a_lower_assessment_what_they_always_did() -> None:
    silent = FIRST_RULES.replace("lower_assessment_corrects = true\n", "")
    after = stood(Log().rules(silent).engine().opened("a").assessed("a", "extreme").assessed("a", "minor", "3"))
    assert (after.told()[-1][2], after.alerts[-1].change) == ("evidence", AlertChange.LOWERED)


def test_what_fades_at_midnight_is_effective_at_that_midnight_whenever_somebody_looks() -> None:
    log = begun().opened("a").assessed("a").days(400)
    changes = stood(log).changes
    assert [(one.before, one.after, one.effective_at.isoformat()) for one in changes if one.cause == "fading"] == [
        (3, 2, "2026-05-26T22:00:00+00:00"),
        (2, 1, "2026-06-02T22:00:00+00:00"),
    ]
    assert [one.due for one in stood(log).derived if one.stream.startswith("level/")][
        -1
    ] == "2026-06-02T22:00:00.000000Z"


def test_years_without_a_word_cost_no_more_than_what_changes_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    fired: list[int] = []
    midnight = FirstEngine._midnight

    def counted(self: FirstEngine, shared: Shared, rules: Rules, home: EngineHome, day: int, at: str) -> list[Change]:
        fired.append(day)
        return midnight(self, shared, rules, home, day, at)

    monkeypatch.setattr(FirstEngine, "_midnight", counted)
    stood(begun().opened("a").assessed("a").opened("b", "tension").resolved("b").days(20_000))
    assert len(fired) <= 6 + 4 + 1  # the steps of violence and of tension, and laying by


def test_what_falls_due_is_fired_before_an_event_of_its_home_too() -> None:
    log = begun().opened("a").assessed("a").after(days=400).opened("b", "tension")
    assert [one.cause for one in stood(log).changes] == ["evidence", "evidence", "fading", "fading"]


def test_a_gazetteer_moves_cases_to_their_new_commune_and_is_never_an_escalation() -> None:
    home = "ve:c:aro"
    log = begun().gazetteer(vela("d1"))
    log.opened("a", unit="ve:c:aro", home=home).assessed("a", home=home)
    log.opened("b", unit="ve:c:bel", home=home).assessed("b", home=home)
    after = stood(log.days(1).gazetteer(vela("d2")))
    assert after.told("ve:c:aro")[-1] == (3, 0, "gazetteer")
    assert after.told("ve:c2:abel") == [(0, 3, "gazetteer")]
    assert after.points("ve:c2:abel") == 36_000 + 18_000
    assert [(one.unit, one.change) for one in after.alerts[-3:]] == [
        ("ve:c2:abel", "corrected"),
        ("ve:c:aro", "cancelled"),
        ("ve:c:bel", "cancelled"),
    ]


def test_units_above_communes_have_rows_of_their_own() -> None:
    log = begun().gazetteer(vela("d2")).opened("a", unit="ve:p:north", home="ve:p:north")
    log.assessed("a", home="ve:p:north").opened("b", unit="ve:c:aro", home="ve:c:aro")
    after = stood(log)
    assert (after.level("ve:p:north"), after.level("ve:c2:abel")) == (3, 1)


def test_zones_and_hills_count_in_their_commune() -> None:
    log = begun().gazetteer(vela("d2")).opened("a", unit="ve:h:elm", home="ve:c:cor").assessed("a", home="ve:c:cor")
    assert stood(log).level("ve:c2:dun") == 3


def test_nothing_is_said_before_an_engine_is_adopted() -> None:
    log = Log().rules().opened("a").assessed("a")
    after = stood(log)
    assert (after.level(), after.derived) == (3, [])
    after = stood(log.engine(projection="referral_board"))
    assert after.derived == []


def test_an_engine_that_is_adopted_says_where_levels_stand() -> None:
    log = Log().rules().opened("a").assessed("a").days(1).engine()
    after = stood(log)
    assert [one.seed for one in after.derived] == [f"alert/{UNIT}/1", f"level/{UNIT}/1"]
    assert [(one.before, one.after, one.cause) for one in after.changes] == [(0, 3, "engine")]
    assert after.alerts[0].change == "corrected"
    assert [one.seed for one in stood(log.resolved("a")).derived][-1] == f"level/{UNIT}/2"


def test_a_second_engine_speaks_from_its_adoption_on_and_the_first_no_more() -> None:
    log = begun().opened("a", "tension").assessed("a").opened("b", unit="other").assessed("b", "minor")
    before = stood(log, WITH_A_SECOND)
    assert {one.engine for one in before.derived} == {1}
    assert before.level("other") == 1

    after = stood(log.engine(2), WITH_A_SECOND, engine=2)
    said = after.derived[len(before.derived) :]
    assert [(one.stream, one.engine) for one in said] == [
        ("alert/commune:kayanza", 2),
        ("alert/other", 2),
        ("level/commune:kayanza", 2),
        ("level/other", 2),
    ]
    assert {one.cause for one in after.changes[len(before.changes) :]} == {"engine"}
    assert [one.seed for one in said][2:] == [f"level/{UNIT}/2", "level/other/2"]

    later = stood(log.resolved("a"), WITH_A_SECOND, engine=2).derived[len(after.derived) :]
    assert {one.engine for one in later} == {2}


def test_a_replay_over_both_engines_says_what_was_said_by_the_first_alone() -> None:
    log = begun().opened("a").assessed("a").days(30)
    assert stood(log, WITH_A_SECOND).derived == stood(log).derived


def test_an_engine_that_this_program_does_not_have_stops_the_worker() -> None:
    with pytest.raises(Unfoldable, match="engine 7 of alert_level is not in this program: update it"):
        stood(begun().engine(7))


@pytest.mark.parametrize("unreadable", ["[levels]", "format = "])
def test_rules_that_cannot_be_read_stop_the_worker(unreadable: str) -> None:
    with pytest.raises(Unfoldable, match="rules_adopted to every partition: RuleSetFaulty: The rule set"):
        stood(Log().rules(unreadable))


def test_strangers_are_told_of_tension_and_worse_each_alert_pointing_at_the_one_before() -> None:
    log = begun().opened("a", "tension").assessed("a").opened("b").assessed("b").days(7).resolved("b").resolved("a")
    after = stood(log)
    ids = [derived_id(one.seed) for one in after.derived if one.stream.startswith("alert/")]
    assert [(one.before, one.after, one.change, one.updates) for one in after.alerts] == [
        (1, 2, "raised", None),
        (2, 3, "raised", ids[0]),
        (3, 2, "lowered", ids[1]),
        (2, 1, "lowered", ids[2]),
    ]
    again = stood(log.opened("c", severity="extreme")).alerts[-1]
    assert (again.change, again.updates) == ("raised", None)


def test_an_alert_that_rested_on_what_was_taken_back_is_cancelled() -> None:
    log = begun().opened("a", reports=("r",), severity="extreme").withdrawn("r")
    raised, cancelled = stood(log).alerts
    assert (cancelled.change, cancelled.cancels, cancelled.updates) == (
        "cancelled",
        derived_id(f"alert/{UNIT}/1"),
        None,
    )
    assert raised.kinds == ("violence_and_weapons",)
    assert cancelled.kinds == ()


def test_an_alert_tells_name_codes_and_local_date_and_nothing_that_points_at_a_witness() -> None:
    log = begun().gazetteer(vela("d1")).after(hours=16).opened("a", unit="ve:c:aro", home="ve:c:aro")  # 00:30 there
    alert = stood(log.assessed("a", home="ve:c:aro")).alerts[0]
    assert (alert.unit_name, alert.codes) == ("Aro", (Code(scheme="pcode", code="VE101"),))
    assert alert.on.isoformat() == "2026-05-21"
    told = {"unit", "unit_name", "codes", "from", "to", "on", "kinds", "rules_hash", "change"}
    assert set(alert.wire_data()) == told


def test_what_lies_outside_has_a_level_on_the_log_and_no_alert() -> None:
    log = begun().opened("a", unit="outside:cd", home="outside:cd").assessed("a", home="outside:cd")
    after = stood(log)
    assert (len(after.changes), after.alerts) == (2, [])


def test_an_exercise_changes_nothing() -> None:
    events = begun().opened("a").assessed("a", "extreme").days(1).events
    exercised = [event if event.is_broadcast else replace(event, mode=Mode.EXERCISE.value) for event in events]
    page, _ = Part(WITH_A_SECOND.fold).take(exercised)
    assert (page.rows, page.derived) == ({}, [])


def test_a_history_cut_at_its_beginning_folds() -> None:
    log = begun().assessed("never opened").resolved("never opened").withdrawn("r").opened("a")
    assert stood(log).level() == 1


def test_saved_broadcasts_are_read_back() -> None:
    fold = WITH_A_SECOND.fold
    log = Log().rules().gazetteer(vela("d2")).engine()
    log.election(log.now.date())
    part = Part(fold)
    part.take(log.events)
    saved = fold.save(part.shared)
    assert fold.save(fold.shared(saved)) == saved
    assert saved["rules"] == FIRST_RULES
