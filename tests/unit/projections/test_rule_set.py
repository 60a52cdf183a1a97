"""A rule set: the first one reads, and every slip is told by line and key, with what was expected and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from events.vocabulary import Kind, Role
from projections.rule_set import RuleSetFaulty, Rung, hash_of, read_rule_set
from services.api.access import ACCESS

FIRST = (Path(__file__).parents[3] / "deploy" / "rules" / "burundi.toml").read_text("utf-8")


def test_the_first_rule_set_reads() -> None:
    rules = read_rule_set(FIRST)
    assert rules.kinds[Kind.VIOLENCE].points == 40_000
    assert rules.ranks[:3] == (1000, 500, 250)


def test_a_rule_set_may_say_nothing_of_coverage() -> None:
    assert read_rule_set(FIRST.partition("[coverage]")[0]).coverage is None


def test_a_rule_set_may_have_no_ladder_and_keep_what_was_promised_to_open_cases() -> None:
    before, _, ladder = FIRST.partition("[[response.ladder]]")
    without = before.replace("open_cases_too = true", "") + ladder[ladder.index("[committee]") :]
    response = read_rule_set(without).response
    assert (response.ladder, response.open_cases_too) == (None, False)


@pytest.mark.parametrize("rungs", [0, 10])
def test_a_ladder_has_a_rung_and_not_too_many(rungs: int) -> None:
    before, _, ladder = FIRST.partition("[[response.ladder]]")
    listed = ", ".join(f'{{ after_hours = {number}, tell = "analyst" }}' for number in range(rungs))
    text = before.replace("open_cases_too = true", f"ladder = [{listed}]") + ladder[ladder.index("[committee]") :]
    with pytest.raises(
        RuleSetFaulty, match=r"^.*\nline \d+, key response.ladder: expected 1 to 9 rungs; add or take away"
    ):
        read_rule_set(text)


def test_whom_a_ladder_tells_sees_the_list_of_gaps() -> None:
    roles = get_args(Rung.model_fields["tell"].annotation)
    assert len(roles) == 4
    assert all(Role(role) in ACCESS["read.gaps"] for role in roles)


def test_every_number_of_the_first_rule_set_stands_with_a_reason() -> None:
    numbered = [line for line in FIRST.splitlines() if any(sign.isdigit() for sign in line.split("#")[0])]
    assert len(numbered) > 60
    assert [line for line in numbered if not line.partition("#")[2].strip()] == []


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("points = 40000", "points = 40.5", "line {n}, key kinds.violence.points: expected a whole number; write"),
        ("points = 40000", "points = true", "line {n}, key kinds.violence.points: expected a whole number; write"),
        ("points = 40000", "points = -1", "line {n}, key kinds.violence.points: expected a whole number of at least 0"),
        ("severe = 24", "severe = 0", "line {n}, key response.answer_within_hours.severe: expected a whole number of"),
        ("permille = 1500", "permille = 9000", "line {n}, key windows.presidential.permille: expected a whole number"),
        ("permille = 1500", "per_mille = 1500", "line {n}, key windows.presidential.per_mille: expected no such key"),
        (
            "[30, 100], [60, 0]]",
            "[60, 100]]",
            "line {n}, key kinds.violence.fade: expected a last step of 0 perm",
        ),
        ("[30, 100], [60, 0]]", "[3, 100], [60, 0]]", "line {n}, key kinds.violence.fade: expected days that"),
        ("Africa/Bujumbura", "Bujumbura", "line {n}, key time_zone: expected a time zone's name like Africa/Bujumbura"),
        ('"response_update", "nothing', '"nothing', "key kinds: expected every kind of case; add response_update"),
        ('["response_update", ', '["response_update", "tension", ', "key without_points: expected each kind in one pl"),
        ('"6" = 400', "", "key credibility: expected a value for every word; add 6"),
        ("ranks = [1000, 500", "ranks = [500, 1000", "line {n}, key ranks: expected shares that do not grow; put the"),
        ("up = [4000, 15000", "up = [4000, 4000", "key levels: expected points that grow from level 1 to level 4; put"),
        ("down = [2500", "down = [4500", "key levels: expected no threshold downwards above the one upwards; lower"),
        ("missed = 2 ", "missed = 0 ", "line {n}, key coverage.missed: expected a whole number of at least 1; correct"),
        ("high_from = 800", "", "line {n}, key coverage.high_from: expected this key; add it"),
        ("medium_from = 500", "medium_from = 900", "key coverage: expected medium_from not above high_from; exchange"),
        ("severe = 24", "severe = 24 hours", "line {n}: expected TOML; correct what stands there"),
        ("format = 1", f"format = {'1' * 5_000}", "expected numbers of a few digits; correct the one that has"),
        ("format = 1", f"format = {'[' * 3_000}", "expected tables and lists a few deep; take the brackets out"),
        ("format = 1", "format = 2", "line {n}, key format: expected 1, the form that this program reads; a file of a"),
        (
            "[30, 100], [60",
            "[30.5, 100], [60",
            "line {n}, key kinds.violence.fade, entry 5, number 1: expected a whole n",
        ),
        (
            "[30, 100], [60",
            "[30], [60",
            "line {n}, key kinds.violence.fade, entry 5, number 2: expected one number more",
        ),
        ("up = [4000, 15000", "up = [4000, 1.5", "line {n}, key levels.up, entry 2: expected a whole number; write"),
        ("floored = true", "floored = 1", "line {n}, key kinds.violence.floored: expected true or false; write one of"),
        (
            "after_hours = 24",
            "after_hours = -1",
            "line {n}, key response.ladder.after_hours, entry 3: expected a whole num",
        ),
        (
            "after_hours = 24",
            "after_hours = 6",
            "line {n}, key response.ladder.after_hours, entry 3: expected more hours",
        ),
        (
            'tell = "reviewer"',
            'tell = "admin"',
            "line {n}, key response.ladder.tell, entry 3: expected 'coordinator', 'rev",
        ),
        ('tell = "reviewer"', 'whom = "reviewer"', "line {n}, key response.ladder.whom, entry 3: expected no such key"),
        (
            "open_cases_too = true",
            "open_cases_too = 1",
            "line {n}, key response.open_cases_too: expected true or false",
        ),
        ("[kinds.violence]", "[kinds.violance]", "line {n}, key kinds.violance: expected "),
    ],
)
def test_a_slip_is_told_by_line_and_key(right: str, wrong: str, told: str) -> None:
    assert right in FIRST
    line = next(number for number, text in enumerate(FIRST.splitlines(), 1) if right in text)
    if told.startswith("line {n}, key coverage.high_from: expected this key"):  # what is missing is told of its table
        line = next(number for number, text in enumerate(FIRST.splitlines(), 1) if text.startswith("[coverage]"))

    with pytest.raises(RuleSetFaulty) as refused:
        read_rule_set(FIRST.replace(right, wrong, 1))

    assert told.format(n=line) in str(refused.value)


@pytest.mark.parametrize(("left", "right"), [("[", "]"), ("{a=", "}")])
def test_brackets_in_one_another_without_end_are_refused_with_a_sentence(left: str, right: str) -> None:
    with pytest.raises(RuleSetFaulty, match=r"expected tables and lists a few deep; take the brackets out"):
        read_rule_set("a = " + left * 2_000 + "1" + right * 2_000)


def test_a_rule_set_is_known_by_the_hash_of_its_text() -> None:
    assert hash_of(FIRST) != hash_of(FIRST + " ")
    assert len(hash_of("")) == 64
