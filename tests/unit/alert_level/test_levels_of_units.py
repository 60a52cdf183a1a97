"""How the cases of a unit add up: ranks, peace, elections, thresholds, and what goes straight to a level."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.support.domain import one
from tests.support.levels import FIRST_RULES, UNIT, Log, stood


def begun() -> Log:
    return Log().rules()


def test_the_largest_case_counts_whole_the_next_a_half_and_so_on() -> None:
    log = begun()
    for name in ("a", "b", "c"):
        log.opened(name).assessed(name, "moderate")
    assert stood(log.assessed("b")).points() == 40_000 + 10_000 + 5_000


def test_doubling_the_reports_raises_no_level() -> None:
    log = begun().opened("a", reports=("r",)).assessed("a")
    before = stood(log).points()
    for number in range(20):
        log.linked("a", f"r{number}")
    assert stood(log).points() == before


def test_cases_beyond_the_last_rank_add_nothing_but_are_open() -> None:
    log = begun()
    for number in range(12):
        log.opened(str(number), "tension").assessed(str(number))
    after = stood(log)
    assert after.points() == sum(12_000 * rank // 1000 for rank in (1000, 500, 250, 125, 62, 31, 15, 7))
    assert after.units[UNIT]["open_cases"] == 12


def test_equals_rank_by_case_id() -> None:
    log = begun()
    for name in ("a", "b", "c", "d"):
        log.opened(name).assessed(name)
    listed = [str(each.case_id) for each in stood(log.engine()).changes[-1].contributions]
    assert listed == sorted(str(one(name)) for name in ("a", "b", "c", "d"))


@pytest.mark.parametrize(
    ("kind", "level"),
    [("violence", 3), ("weapons", 2), ("tension", 1), ("detention_or_rights", 2), ("displacement", 2)],
)
def test_one_severe_confirmed_case_is_what_its_reason_says(kind: str, level: int) -> None:
    assert stood(begun().opened("a", kind).assessed("a")).level() == level


def test_a_level_is_lowered_only_under_the_lower_threshold() -> None:
    log = begun().opened("a").assessed("a")
    assert stood(log.days(3)).level() == 3  # 30 points: alert begins at 35 but is held down to 27
    assert stood(log.days(4)).level() == 2  # 20
    assert stood(log.opened("b", "tension").assessed("b", "moderate")).level() == 2


def test_an_unresolved_assessed_extreme_case_is_at_least_an_alert() -> None:
    log = begun().opened("a", "tension").assessed("a", "extreme", "5")
    after = stood(log)
    assert (after.level(), after.points()) == (3, 1_200)
    assert stood(log.days(500)).level() == 3
    assert stood(log.resolved("a")).level() == 0


@pytest.mark.parametrize("how", ["stated only", "gives nothing", "closed"])
def test_what_is_not_assessed_extreme_open_and_counting_goes_nowhere_straight(how: str) -> None:
    log = begun().opened("a", "tension", severity="extreme")
    if how == "gives nothing":
        log.assessed("a", "extreme", state="confirmed_false")
    if how == "closed":
        log.assessed("a", "extreme").closed("a")
    assert stood(log).units[UNIT]["straight_to"] is None


def test_peace_takes_points_off_tension_and_rumour_at_most_a_share() -> None:
    log = begun().opened("t", "tension").assessed("t", "moderate").opened("p", "peace_initiative").assessed("p")
    after = stood(log)
    assert (after.points(), after.units[UNIT]["peace_offset"]) == (4_200, 1_800)
    assert stood(log.assessed("p", "minor", "4")).units[UNIT]["peace_offset"] == 1_000  # severity is no matter


def test_peace_takes_nothing_off_violence() -> None:
    log = begun().opened("v").assessed("v", "moderate").opened("p", "peace_initiative").assessed("p")
    assert stood(log).points() == 20_000


@pytest.mark.parametrize("severity", ["severe", "extreme"])
def test_peace_takes_nothing_off_while_a_severe_case_is_unresolved(severity: str) -> None:
    log = begun().opened("t", "tension").assessed("t", "moderate").opened("p", "peace_initiative").assessed("p")
    log.opened("v").assessed("v", severity)
    after = stood(log)
    assert (after.units[UNIT]["peace_offset"], after.units[UNIT]["peace"]) == (0, "[]")
    assert stood(log.resolved("v")).units[UNIT]["peace_offset"] > 0


def test_a_case_of_another_kind_and_the_same_weight_is_softened_no_more() -> None:
    detention = FIRST_RULES[
        FIRST_RULES.index("[kinds.detention_or_rights]") : FIRST_RULES.index("[kinds.displacement]")
    ]
    alike = detention.replace("points = 15000", "points = 12000").replace("in_window = true", "in_window = false")
    log = Log().rules(FIRST_RULES.replace(detention, alike)).opened("a", "tension").assessed("a", "moderate")
    log.opened("p", "peace_initiative").assessed("p")
    assert (stood(log).points(), stood(log.classified("a", "detention_or_rights")).points()) == (4_200, 6_000)


def test_a_peace_initiative_is_remembered_after_its_work_is_over_and_fades() -> None:
    log = begun().opened("t", "tension", occurred=None, expected=300).assessed("t", "minor")
    log.opened("p", "peace_initiative").assessed("p", "minor", "4").closed("p")
    assert stood(log).units[UNIT]["peace_offset"] == 900  # limited by the share
    assert stood(log.days(14)).units[UNIT]["peace_offset"] == 400
    assert stood(log.days(16)).units[UNIT]["peace_offset"] == 0


def test_only_a_commitment_that_was_kept_takes_points_off() -> None:
    log = begun().opened("t", "tension").assessed("t", "moderate").opened("c", "commitment_update").assessed("c")
    assert stood(log).units[UNIT]["peace_offset"] == 0
    assert stood(log.resolved("c", "subsided")).units[UNIT]["peace_offset"] == 0
    assert stood(log.resolved("c", "settled")).units[UNIT]["peace_offset"] == 1_800


def polling_in(log: Log, days: int) -> date:
    return log.now.date() + timedelta(days=days)


def test_an_election_window_multiplies_harm_and_not_talk() -> None:
    log = begun()
    log.election(polling_in(log, 10)).opened("v").assessed("v", "moderate").opened("t", "tension").assessed(
        "t", "minor"
    )
    after = stood(log)
    assert after.points() == 30_000 + 1_500
    assert after.units[UNIT]["window_permille"] == 1500


def test_a_window_begins_and_ends_at_local_midnight() -> None:
    log = begun()
    log.election(polling_in(log, 25)).opened("v", occurred=None, expected=200).assessed("v", "moderate")
    assert stood(log.days(3)).points() == 20_000
    assert stood(log.days(1)).points() == 30_000
    assert stood(log.days(51)).points() == 30_000
    assert stood(log.days(1)).points() == 20_000
    assert [cause for *_, cause in stood(log).told()] == ["evidence", "evidence"]  # 30 points are tension as well


def test_a_window_begins_with_the_campaign_where_that_is_known() -> None:
    log = begun()
    log.election(polling_in(log, 90), campaign_from=polling_in(log, 0)).opened("v").assessed("v", "moderate")
    assert stood(log).points() == 30_000


def test_the_largest_of_several_windows_counts() -> None:
    log = begun()
    log.election(polling_in(log, 1)).election(polling_in(log, 1), name="hills", round="hill")
    assert stood(log.opened("v").assessed("v", "moderate")).points() == 30_000


@pytest.mark.parametrize("how", ["moved", "cancelled"])
def test_an_election_that_is_moved_or_cancelled_has_no_window_there(how: str) -> None:
    log = begun()
    log.election(polling_in(log, 10)).opened("v", "weapons").assessed("v")
    assert stood(log).level() == 3
    log.election(polling_in(log, 300 if how == "moved" else 10), standing=how)
    assert stood(log).told()[-1] == (3, 2, "election_window")


def test_a_round_without_a_window_multiplies_nothing() -> None:
    log = begun()
    log.election(polling_in(log, 1), round="senate").election(polling_in(log, 1), name="x", round="unheard_of")
    assert stood(log.opened("v").assessed("v", "moderate")).points() == 20_000


def test_what_lies_outside_has_no_elections_of_ours() -> None:
    log = begun()
    log.election(polling_in(log, 1)).opened("v", unit="outside:cd", home="outside:cd")
    log.assessed("v", "moderate", home="outside:cd")
    assert stood(log).points("outside:cd") == 20_000


def test_what_has_no_place_has_no_level_but_is_counted() -> None:
    log = begun().opened("v", unit="unplaced", home="unplaced").assessed("v", "extreme", home="unplaced")
    row = stood(log).units["unplaced"]
    assert (row["level"], row["points"], row["open_cases"]) == (None, 0, 1)


def test_confidence_is_low_while_nobody_knows_the_coverage() -> None:
    row = stood(begun().opened("v")).units[UNIT]
    assert (row["confidence"], row["confidence_reason"]) == ("low", "coverage_unknown")


def test_other_numbers_are_other_levels() -> None:
    log = Log().rules(FIRST_RULES.replace("up = [4000, 15000, 35000, 80000]", "up = [4000, 15000, 45000, 80000]"))
    assert stood(log.opened("a").assessed("a")).level() == 2
