"""What is invented follows from the seed, and everybody acts only on what is there by then."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path

import pytest

from events.vocabulary import Role
from services.api.access import ACCESS
from services.demo.acts import Act, Made
from services.demo.cast import Cast
from services.demo.chance import Chance
from services.demo.reading import read_scenario
from services.demo.story import plan, spoken_of
from tests.unit.demo.scenarios import A_DEATH, FEW, NOWHERE, chronology, told, write_scenario


def test_the_same_seed_tells_the_same_story_and_another_one_another() -> None:
    cast = Cast(chronology())
    assert plan(chronology(), cast).acts == told().acts
    assert plan(chronology(), cast, 7).acts != told().acts


def test_leaving_an_entry_out_changes_nothing_that_is_told_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "one").mkdir()
    all_of_them = read_scenario(write_scenario(tmp_path / "all", *FEW))
    one = read_scenario(write_scenario(tmp_path / "one", A_DEATH))
    of_all = [act for act in plan(all_of_them, Cast(all_of_them)).acts if act.chain.startswith("a1")]
    assert of_all == [act for act in plan(one, Cast(one)).acts if act.chain.startswith("a1")]


def test_nobody_speaks_of_what_was_not_made_before() -> None:
    made: dict[Made, Act] = {}
    for act in told().acts:
        for one in spoken_of(act):
            earlier = made[one]
            assert earlier.at < act.at or earlier.chain == act.chain, act.name
        if act.makes is not None:
            made[act.makes] = act


def test_every_command_has_a_name_of_its_own() -> None:
    names = [(act.who, act.name) for act in told().acts]
    assert len(names) == len(set(names))


def test_everything_is_done_at_a_moment_of_the_day_between_the_first_and_the_last() -> None:
    plan = told()
    assert all(plan.begins <= act.at <= plan.ends and act.at.hour in (0, 6, 18) for act in plan.acts)
    moments = list(plan.moments)
    assert moments == sorted(moments)
    assert sum(moment.hour == 0 for moment in moments) == (plan.ends - plan.begins).days + 1


def test_deadlines_fall_on_moments_at_which_the_clock_stops() -> None:
    moments = told().moments
    for act in told().acts:
        if act.operation == "refer":
            for name in ("acknowledge_by", "act_by"):
                assert (
                    datetime.fromisoformat(act.body[name]) in moments
                    or datetime.fromisoformat(act.body[name]) > told().ends
                )


def test_who_refers_has_not_checked_and_who_releases_is_another_one() -> None:
    by_case: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for act in told().acts:
        for operation in ("check-harm", "release-check", "refer"):
            if act.operation == operation:
                again = "again" if act.name.endswith("again") else ""
                by_case[act.chain + again][operation].add(act.who.name)
    assert by_case
    for done in by_case.values():
        assert not done["refer"] & (done["check-harm"] | done["release-check"])
        assert not done["release-check"] & done["check-harm"]


def test_nobody_grades_a_message_twice() -> None:
    grades = [(act.who, act.address[1]) for act in told().acts if act.operation == "grade"]
    assert len(grades) == len(set(grades))


def test_each_acts_in_a_role_that_may() -> None:
    grants = {**ACCESS, "report.reports": ACCESS["report.receive"], "case.cases": ACCESS["case.open-case"]}
    for act in told().acts:
        category = str(act.address[0]).split("/")[2].removesuffix("s")
        assert act.who.role in grants[f"{category}.{act.operation}"], act.name
    assert {act.who.role for act in told().acts} == {
        Role.REPORTER,
        Role.COORDINATOR,
        Role.REVIEWER,
        Role.REFERRAL_OFFICER,
        Role.RECIPIENT,
        Role.ADMIN,
    }


def test_a_message_from_a_place_that_nobody_finds_stays_without_one_and_is_graded(tmp_path: Path) -> None:
    scenario = read_scenario(write_scenario(tmp_path, NOWHERE))
    done = [act for act in plan(scenario, Cast(scenario)).acts if act.chain.startswith("a5")]
    assert {act.operation for act in done} == {"reports", "grade"} | ({"conclude"} & {act.operation for act in done})
    assert all("unit" not in act.body for act in done if act.operation == "reports")


@pytest.mark.parametrize("permille", [0, 1000])
def test_what_never_and_always_falls_does_so(permille: int) -> None:
    assert all(Chance(1, str(about)).falls(permille, "?") == bool(permille) for about in range(200))


def test_shares_are_about_as_they_are_written() -> None:
    fallen = sum(Chance(5, str(about)).falls(300, "?") for about in range(5_000))
    assert 1_350 < fallen < 1_650
    drawn = [Chance(5, str(about)).weighed({"a": 3, "b": 1}, "?") for about in range(4_000)]
    assert 2_850 < drawn.count("a") < 3_150
