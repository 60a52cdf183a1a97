"""What a case gives: by kind, severity and credibility, less what faded, by what it is now."""

from __future__ import annotations

from sys import getsizeof
from typing import Any

import pytest

from projections.alert_level.case import Case
from projections.alert_level.laid_by import LaidBy
from tests.support.domain import one
from tests.support.levels import Log, stood


def begun() -> Log:
    return Log().rules()


def given(log: Log) -> int:
    return stood(log).weight("a")["given"]  # type: ignore[no-any-return]


def standing(log: Log) -> int:
    return stood(log).weight("a")["standing"]  # type: ignore[no-any-return]


def test_points_are_kind_by_severity_by_credibility() -> None:
    assert given(begun().opened("a", "violence").assessed("a", "moderate", "2")) == 40_000 * 500 * 800 // 1_000_000


@pytest.mark.parametrize(
    ("opening", "points"),
    [
        ({}, 40_000 * 500 // 1000 * 500 // 1000),
        ({"threat": True}, 40_000 * 500 // 1000),
        ({"threat": True, "provisional": True}, 40_000 * 600 // 1000),
        ({"severity": "extreme"}, 80_000 * 500 // 1000),
        ({"severity": "unheard_of"}, 40_000 * 500 // 1000 * 500 // 1000),
    ],
)
def test_before_an_assessment_the_rules_say_what_a_case_is_worth(opening: dict[str, Any], points: int) -> None:
    assert given(begun().opened("a", **opening)) == points


def test_a_ratified_case_is_worth_more_than_a_provisional_one_and_a_refused_one_nothing() -> None:
    log = begun().opened("a", threat=True, provisional=True)
    assert given(log.ratified("a")) == 40_000 * 800 // 1000
    assert given(begun().opened("a", threat=True, provisional=True).not_ratified("a")) == 0


def test_the_latest_assessment_counts() -> None:
    assert given(begun().opened("a").assessed("a", "extreme").assessed("a", "minor", "4")) == 10_000 * 250 // 1000


def test_a_rumour_scores_by_its_circulation_and_its_truth_is_another_matter() -> None:
    rumour = begun().opened("a", "rumour_or_hate_speech")
    assert given(rumour) == 10_000 * 500 // 1000 * 400 // 1000
    rumour.assessed("a", "severe", "5", circulating="widely", state="confirmed_false")
    assert given(rumour) == 10_000
    assert given(rumour.assessed("a", "severe", "1", circulating="not")) == 0


def test_what_the_committee_found_untrue_gives_nothing() -> None:
    assert given(begun().opened("a").assessed("a", "extreme", "1", state="confirmed_false")) == 0


@pytest.mark.parametrize("kind", ["response_update", "nothing_to_report", "unheard_of"])
def test_kinds_without_points_give_none_and_are_open_cases(kind: str) -> None:
    after = stood(begun().opened("a", kind).assessed("a"))
    assert (after.points(), after.units["commune:kayanza"]["open_cases"]) == (0, 1)


def test_a_classification_changes_the_kind() -> None:
    assert given(begun().opened("a", "tension").assessed("a").classified("a", "violence")) == 40_000


@pytest.mark.parametrize(("days", "left"), [(0, 1000), (1, 900), (2, 900), (3, 750), (7, 500), (29, 250), (30, 100)])
def test_points_fade_by_the_steps_of_their_kind(days: int, left: int) -> None:
    log = begun().opened("a").assessed("a", "moderate").days(days)
    assert standing(log) == 20_000 * left // 1000


def test_points_fade_at_local_midnight_and_not_before() -> None:
    log = begun().opened("a").assessed("a", "moderate")  # 08:30 in Bujumbura
    assert standing(log.after(hours=15, minutes=29).tick()) == 20_000
    assert standing(log.after(minutes=1).tick()) == 18_000


def test_what_happened_long_ago_begins_faded() -> None:
    assert standing(begun().opened("a", occurred=8).assessed("a", "moderate")) == 10_000


def test_fading_counts_from_the_latest_day_that_it_may_have_happened() -> None:
    # 20 May 2026 is a Wednesday. The week of the 13th ends on the 17th, the month of April on the 30th.
    assert standing(begun().opened("a", occurred=7, precision="week").assessed("a", "moderate")) == 15_000
    assert standing(begun().opened("a", occurred=35, precision="month").assessed("a", "moderate")) == 5_000
    assert standing(begun().opened("a", occurred=(9, 2)).assessed("a", "moderate")) == 18_000
    assert standing(begun().opened("a", occurred=(2, 9)).assessed("a", "moderate")) == 18_000


def test_what_happened_did_not_happen_after_it_was_written() -> None:
    log = begun().opened("a", occurred=3, precision="month").assessed("a", "moderate")
    assert standing(log.days(1)) == 18_000  # counted from today, not from the end of May
    assert standing(begun().opened("a", occurred=-20).assessed("a", "moderate").days(1)) == 18_000


def test_without_a_day_fading_counts_from_the_opening() -> None:
    assert standing(begun().opened("a", occurred=None).assessed("a", "moderate").days(3)) == 15_000


def test_an_expected_case_does_not_fade_before_its_day_then_asks_for_an_outcome() -> None:
    log = begun().opened("a", occurred=None, expected=10).assessed("a", "moderate").days(10)
    after = stood(log)
    assert (after.weight("a")["standing"], after.units["commune:kayanza"]["outcomes_asked"]) == (20_000, 0)
    after = stood(log.days(1))
    assert (after.weight("a")["standing"], after.units["commune:kayanza"]["outcomes_asked"]) == (18_000, 1)
    assert stood(log.resolved("a")).units["commune:kayanza"]["outcomes_asked"] == 0


def test_an_unresolved_severe_case_keeps_its_floor() -> None:
    log = begun().opened("a").assessed("a").days(400)
    assert standing(log) == 5_000
    assert standing(begun().opened("a", "tension").assessed("a", "severe", "4").days(400)) == 3_000  # never above given
    assert standing(begun().opened("a").assessed("a", "moderate").days(400)) == 0
    rumour = begun().opened("a", "rumour_or_hate_speech").assessed("a", "extreme", circulating="widely")
    assert standing(rumour.days(400)) == 0


@pytest.mark.parametrize(("outcome", "share"), [("settled", 200), ("harm_done", 500), ("unheard_of", 500)])
def test_a_resolved_case_keeps_a_share_and_fades_without_a_floor(outcome: str, share: int) -> None:
    log = begun().opened("a").assessed("a").resolved("a", outcome)
    assert standing(log) == 40_000 * share // 1000
    assert standing(log.days(30)) == 4_000 * share // 1000


def test_closing_keeps_what_the_resolution_left_and_half_where_nobody_resolved_it() -> None:
    assert standing(begun().opened("a").assessed("a").resolved("a").closed("a")) == 8_000
    assert standing(begun().opened("a").assessed("a").closed("a")) == 20_000


def test_a_reopened_case_is_whole_again_and_fades_anew_only_where_the_danger_returned() -> None:
    log = begun().opened("a").assessed("a", "moderate").days(7).resolved("a")
    assert standing(log.reopened("a")) == 10_000
    log = begun().opened("a").assessed("a", "moderate").days(7).resolved("a").reopened("a", "danger_returned")
    assert standing(log) == 20_000
    assert standing(log.days(1)) == 18_000


def test_a_case_merged_into_another_counts_no_more_until_the_merge_is_reversed() -> None:
    log = begun().opened("a").opened("b").assessed("a").assessed("b").merged("a", "b")
    assert stood(log).points() == 40_000
    assert stood(log.merge_reversed("a", "b")).points() == 60_000


def test_a_withdrawn_report_counts_no_more() -> None:
    log = begun().opened("a", reports=("r", "s")).withdrawn("r")
    assert given(log) == 10_000  # another one stands
    assert given(log.withdrawn("s")) == 0
    assert stood(log).told()[-1] == (1, 0, "retraction")


@pytest.mark.parametrize("act", ["assessed", "linked", "reopened"])
def test_a_case_without_ground_counts_again_on_new_ground(act: str) -> None:
    log = begun().opened("a", reports=("r",)).unlinked("a", "r")
    assert given(log) == 0
    getattr(log, act)("a", *(["s"] if act == "linked" else []))
    assert given(log) > 0


def test_a_provisional_case_stands_on_who_opened_it() -> None:
    assert given(begun().opened("a", provisional=True, threat=True, reports=("r",)).withdrawn("r")) == 24_000


def test_a_case_that_never_had_a_report_loses_none() -> None:
    assert given(begun().opened("a").withdrawn("r").unlinked("a", "r")) == 10_000


def test_a_report_that_is_lost_after_a_reopening_takes_its_ground_away() -> None:
    log = begun().opened("a", reports=("r",)).resolved("a").reopened("a").linked("a", "s").withdrawn("s")
    assert given(log) == 10_000  # the one that it was opened on stands
    assert given(log.withdrawn("r")) == 0


def test_what_is_over_and_weighs_nothing_is_laid_by_at_midnight() -> None:
    log = begun().opened("a").assessed("a").resolved("a")
    assert not stood(log.days(59)).weight("a")["laid_by"]
    assert stood(log.days(1)).weight("a")["laid_by"]
    log = begun().opened("a", provisional=True).not_ratified("a")
    assert not stood(log).weight("a")["laid_by"]
    assert stood(log.days(1)).weight("a")["laid_by"]


def test_an_open_case_is_never_laid_by() -> None:
    assert not stood(begun().opened("a").assessed("a", "minor").days(3000)).weight("a")["laid_by"]


def test_what_was_laid_by_is_found_again() -> None:
    log = begun().opened("a", "tension").assessed("a", "severe", "2").resolved("a").closed("a").days(100)
    assert stood(log).weight("a")["laid_by"]
    assert given(log.reopened("a", "danger_returned")) == 9_600
    assert stood(log).level() == 1


def test_a_case_laid_by_comes_back_with_its_reports() -> None:
    log = begun().opened("a", reports=("r", "s")).opened("b").merged("a", "b").days(1)
    assert stood(log).weight("a")["laid_by"]
    log.withdrawn("r")
    assert stood(log).weight("a")["laid_by"]
    assert given(log.merge_reversed("a", "b")) == 10_000
    assert given(log.withdrawn("s")) == 0


@pytest.mark.parametrize("act", ["merge_reversed", "reopened"])
def test_a_level_falls_with_the_only_report_of_a_case_that_came_back(act: str) -> None:
    log = begun().opened("b", "nothing_to_report").opened("a", severity="extreme", reports=("r",))
    log.merged("a", "b") if act == "merge_reversed" else log.not_ratified("a")
    log.days(3)
    log.merge_reversed("a", "b") if act == "merge_reversed" else log.reopened("a")
    assert stood(log).level() == 2
    assert stood(log.withdrawn("r")).told()[-1] == (2, 0, "retraction")


def test_a_case_whose_only_report_fell_while_it_was_merged_comes_back_without_ground() -> None:
    log = begun().opened("a", severity="extreme", reports=("r",)).opened("b").merged("a", "b").days(2).withdrawn("r")
    assert given(log.merge_reversed("a", "b")) == 0
    assert given(log.linked("a", "s")) > 0


def test_what_is_laid_by_costs_so_many_bytes_and_no_more() -> None:
    """A thousand cases more, 2,300 links and 100 mergings: 60 bytes and 32, and what a byte array leaves room for."""

    def held(number: int) -> int:
        kept = LaidBy()
        for count in range(number):
            case = Case(str(one(f"case {count}")), "commune:kayanza", "violence", count)
            case.links = [str(one(f"report {count} {link}")) for link in range(2 + (count % 10 < 3))]
            case.into = str(one(f"case {count + 1}")) if count % 10 == 0 else None
            kept.lay(case)
        pairs = (*kept._links.kept.values(), *kept._merged.kept.values())
        return sum(map(getsizeof, (kept._records, *pairs)))

    assert held(11_000) - held(10_000) < 1.25 * 1_000 * (60 + 2.4 * 32)
