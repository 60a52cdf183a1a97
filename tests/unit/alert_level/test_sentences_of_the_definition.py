"""Sentences of the definition (projections/alert_level) that nothing else holds the engine to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from projections.projection import derived_id
from tests.support.domain import one
from tests.support.level_histories import OTHER_RULES
from tests.support.levels import FIRST_RULES, UNIT, Log, Stood, stood
from tests.unit.alert_level.rare_histories import begun


def given(log: Log) -> int:
    return stood(log).weight("a")["given"]  # type: ignore[no-any-return]


def listed(after: Stood, what: str = "contributions") -> list[dict[str, Any]]:
    return orjson.loads(after.units[UNIT][what])  # type: ignore[no-any-return]


# --- words that no table knows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assessed", "as_if"),
    [
        (("unheard_of", "1"), ("extreme", "1")),  # as it was stated
        (("severe", "unheard_of"), ("severe", None)),  # as one not assessed
    ],
)
def test_a_word_that_no_table_knows_counts_as_not_given(
    assessed: tuple[str, str], as_if: tuple[str, str | None]
) -> None:
    severity, credibility = as_if
    points = 40_000 * {"extreme": 2000, "severe": 1000}[severity] * (1000 if credibility else 500) // 1_000_000
    assert given(begun().opened("a", severity="extreme").assessed("a", *assessed)) == points


def test_a_rumour_of_which_nobody_knows_how_far_it_goes_is_that_of_a_case_not_assessed() -> None:
    log = begun().opened("a", "rumour_or_hate_speech", severity="severe")
    before = given(log)
    assert given(log.assessed("a", "severe", "5", circulating="unheard_of")) == before > 0


def test_a_state_that_no_table_knows_disproves_nothing() -> None:
    assert given(begun().opened("a").assessed("a", state="unheard_of")) == 40_000


def test_a_precision_that_nobody_knows_is_that_of_a_day() -> None:
    def faded(precision: str) -> int:
        log = begun().opened("a", occurred=7, precision=precision).assessed("a", "moderate")
        return stood(log).weight("a")["faded"]  # type: ignore[no-any-return]

    assert faded("unheard_of") == faded("day") > faded("week")


def test_a_reopening_for_a_reason_that_nobody_knows_returns_no_danger() -> None:
    log = begun().opened("a").assessed("a", "moderate").days(7).resolved("a").reopened("a", "unheard_of")
    assert stood(log).weight("a")["standing"] == 10_000


@pytest.mark.parametrize(("round", "standing", "window"), [("presidential", "unheard_of", 1500), ("x", "held", 1000)])
def test_of_an_election_in_words_that_nobody_knows(round: str, standing: str, window: int) -> None:
    log = begun().opened("a")
    after = stood(log.election(log.now.date(), round=round, standing=standing))
    assert after.units[UNIT]["window_permille"] == window


# --- cases ------------------------------------------------------------------------------------------------------------


def test_a_provisional_case_is_open_and_counts_at_a_credibility_of_its_own_until_it_is_assessed() -> None:
    log = begun().opened("a", severity="severe", provisional=True)
    after = stood(log)
    assert (after.points(), after.units[UNIT]["open_cases"]) == (40_000 * 600 // 1000, 1)
    assert given(log.assessed("a", "severe", "2")) == 40_000 * 800 // 1000


def test_of_a_merging_the_event_that_names_the_absorbed_changes_nothing_of_its_own_case() -> None:
    log = begun().opened("a", severity="severe").opened("b", severity="severe")
    alone = stood(log).points()
    assert stood(log.merged("b", "a")).points() == given(log) < alone
    assert stood(log.merge_reversed("b", "a")).points() == alone


# --- rows -------------------------------------------------------------------------------------------------------------


def test_what_has_no_place_has_a_number_of_cases_and_of_outcomes_asked_for_and_nothing_else() -> None:
    log = begun().opened("a", severity="extreme", expected=1, unit="unplaced", home="unplaced")
    log.election(log.now.date()).days(3)
    row = stood(log).units["unplaced"]
    assert (row["open_cases"], row["outcomes_asked"]) == (1, 1)
    nothing = {"level": None, "points": 0, "contributions": "[]", "peace": "[]", "window_permille": 1000}
    assert row | nothing | {"straight_to": None, "cause": None, "rules_hash": None} == row


def test_no_more_cases_are_listed_than_there_are_ranks_also_one_that_counts_nothing() -> None:
    log = begun(ranks=[1000, 0])
    for name in ("a", "b", "c"):
        log.opened(name).assessed(name)
    after = stood(log)
    assert [case["counted"] for case in listed(after)] == [40_000, 0]
    assert after.units[UNIT]["open_cases"] == 3


def test_a_case_beyond_the_ranks_blocks_peace_and_goes_straight_to_a_level() -> None:
    log = begun(ranks=[1000]).opened("v", "tension").assessed("v", "moderate").assessed("v", "moderate", "1")
    log.opened("p", "peace_initiative").assessed("p")
    assert listed(stood(log), "peace") != []
    log.opened("w").assessed("w", "moderate").opened("x", "tension").assessed("x", "extreme", "5")
    after = stood(log)
    assert [case["case_id"] for case in listed(after)] == [str(one("w"))]
    assert (listed(after, "peace"), after.units[UNIT]["straight_to"], after.level()) == ([], 3, 3)


def test_of_a_peace_case_what_faded_is_what_is_not_left_of_its_worth() -> None:
    log = begun().opened("t", "tension", occurred=None, expected=300).assessed("t").opened("p", "peace_initiative")
    (told,) = listed(stood(log.assessed("t", "moderate").assessed("p").days(14)), "peace")
    weight = stood(log).weight("p")
    assert told["given"] - told["faded"] == weight["worth"] == told["counted"] > 0 < told["faded"]


def test_a_window_is_shown_where_a_case_stands_that_it_multiplies() -> None:
    log = begun().opened("t", "tension").election(Log().now.date())
    assert stood(log).units[UNIT]["window_permille"] == 1000
    log.opened("v").assessed("v", state="confirmed_false")
    assert stood(log).units[UNIT]["window_permille"] == 1000
    assert stood(log.assessed("v")).units[UNIT]["window_permille"] == 1500
    log.election(log.now.date() + timedelta(days=300))  # as it was last dated
    assert stood(log).units[UNIT]["window_permille"] == 1000


# --- alerts -----------------------------------------------------------------------------------------------------------


def test_a_change_below_the_level_of_alerts_is_told_to_nobody_before_an_alert_and_after_the_one_that_ends_it() -> None:
    log = begun().opened("a", "tension").assessed("a")
    assert (stood(log).level(), stood(log).alerts) == (1, [])
    log.opened("b").assessed("b").resolved("b").resolved("a").days(100)
    after = stood(log)
    assert [(alert.before, alert.after, alert.change) for alert in after.alerts] == [
        (1, 2, "raised"),
        (2, 3, "raised"),
        (3, 2, "lowered"),
        (2, 1, "lowered"),
    ]
    assert (after.changes[-1].before, after.changes[-1].after) == (1, 0)


def test_an_alert_stands_by_the_rules_of_its_time_and_other_rules_alone_tell_nothing() -> None:
    log = begun(alerts__from_level=1).opened("a", "tension").assessed("a")
    assert [alert.after for alert in stood(log).alerts] == [1]
    log.rules(FIRST_RULES)  # strangers are told of 2 and more now; the level is the same
    assert [alert.after for alert in stood(log).alerts] == [1]
    ends = stood(log.resolved("a")).alerts[-1]
    assert (ends.after, ends.change, ends.updates) == (0, "lowered", derived_id(f"alert/{UNIT}/1"))
    assert len(stood(log.reopened("a")).alerts) == 2


def test_what_is_counted_otherwise_is_corrected_and_cancelled_where_nothing_is_left_to_warn_of() -> None:
    log = begun().opened("b").assessed("b").opened("a", reports=("r",)).assessed("a", "extreme")
    said = len(stood(log).alerts)
    alert = stood(log.withdrawn("r")).alerts[-1]
    assert (alert.before, alert.after, alert.change) == (4, 3, "corrected")
    assert alert.updates == derived_id(f"alert/{UNIT}/{said}")
    alert = stood(log.not_ratified("b")).alerts[-1]
    assert (alert.before, alert.after, alert.change) == (3, 0, "cancelled")
    assert (alert.cancels, alert.updates) == (derived_id(f"alert/{UNIT}/{said + 1}"), None)


def test_more_that_is_counted_otherwise_is_no_escalation() -> None:
    log = begun().opened("a", "tension").assessed("a").rules(OTHER_RULES)
    assert [(alert.before, alert.after, alert.change) for alert in stood(log).alerts] == [(1, 2, "corrected")]


def test_an_alert_names_the_groups_of_what_counts_and_an_unknown_unit_by_its_id() -> None:
    log = begun(ranks=[1000, 0]).opened("t", "tension").assessed("t").opened("p", "peace_initiative").assessed("p")
    log.opened("a").assessed("a")
    alert = stood(log).alerts[-1]
    assert alert.kinds == ("violence_and_weapons",)
    assert (alert.unit_name, alert.codes) == (UNIT, ())
