"""Histories in a few lines are folded as the network folds, and what comes out otherwise is told with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from projections.rule_set import RuleFault, RuleSetFaulty, read_rule_set
from services.rules.histories import VERBS, HistoriesFaulty, History, read_histories
from services.rules.trial import try_out
from tests.support.levels import FIRST_RULES, Log, stood

RULES = Path(__file__).parents[3] / "deploy" / "rules"
CASES = read_histories((RULES / "burundi.cases.toml").read_text("utf-8"))
MARK = "# !! "


@pytest.mark.parametrize("history", CASES, ids=lambda one: one.name)
def test_the_first_rule_set_gives_what_its_histories_expect(history: History) -> None:
    outcome = try_out(FIRST_RULES, history)
    assert outcome.expected > 0
    assert [str(miss) for miss in outcome.missed] == []


def test_under_other_numbers_they_come_out_otherwise() -> None:
    lenient = FIRST_RULES.replace("points = 40000", "points = 30000")
    missed = [one for one in (try_out(lenient, history) for history in CASES) if one.missed]
    assert "One severe, confirmed act of violence is an alert" in missed[0].history.name
    assert len(missed) < len(CASES)


def test_what_is_said_of_a_level_that_came_out_otherwise() -> None:
    quarrels, raid = read_histories((RULES / "fixtures" / "unmet.cases.toml").read_text("utf-8"))
    assert [str(miss) for miss in try_out(FIRST_RULES, quarrels).missed] == [
        "step 3, 2027-03-01: expected level 2 (tension), it is 1 (watch)\n"
        "  the market: tension, given 3, faded 0, floor 0, as number 1 it counts 3\n"
        "  the well: tension, given 3, faded 0, floor 0, as number 2 it counts 1.5"
    ]
    assert [str(miss) for miss in try_out(FIRST_RULES, raid).missed] == [
        "step 3, 2027-03-08: expected level 1 (watch), it is 3 (alert)\n"
        "  the raid: violence, given 64, faded 32, floor 15, as number 1 it counts 32\n"
        "  a case goes straight to level 3",
        "step 3, 2027-03-08: expected points 4, it is 32",
        "step 3, 2027-03-08: expected alert none, it is raised",
    ]


def test_every_faulty_word_of_a_rule_set_is_told_in_its_line() -> None:
    text = (RULES / "fixtures" / "bad_words.toml").read_text("utf-8")
    with pytest.raises(RuleSetFaulty) as refused:
        read_rule_set(text)
    assert_told(text, refused.value.faults)


def test_every_slip_of_a_history_is_told_in_its_line() -> None:
    text = (RULES / "fixtures" / "bad.cases.toml").read_text("utf-8")
    with pytest.raises(HistoriesFaulty) as refused:
        read_histories(text)
    assert_told(text, refused.value.faults)


def assert_told(text: str, faults: Sequence[RuleFault]) -> None:
    """Exactly the marked lines are faulty, and each is told to expect what stands behind its mark."""
    marked = {number: line.split(MARK)[1] for number, line in enumerate(text.splitlines(), 1) if MARK in line}
    assert len(marked) > 5
    told = {fault.line: fault.expected for fault in faults}
    assert told.keys() == marked.keys()
    assert [number for number, expected in marked.items() if not told[number].startswith(expected)] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("history = 3", "key history: expected a valid tuple; correct it"),
        ("", "key history: expected this key; add it"),
        ("history = []", "key history: expected at least one; write it"),
        (f"history = {'1' * 5_000}", "expected numbers of a few digits"),
        (f"history = {'[' * 3_000}", "expected tables and lists a few deep"),
        ("[[history]]\nname = 'x'\nsteps = [", "expected TOML; correct what stands there"),
        ("[[history]]\nname = 'x'", "line 1, key history 1, steps: expected this key; add it"),
        ("[[history]]\nname = 'x'\nsteps = []", "line 1, key history 1, steps: expected at least one `expect`; add"),
        ("[[history]]\nname = 'x'\nsteps = [1]", "line 1, key history 1, step 1: expected exactly one of open, assess"),
    ],
)
def test_a_file_that_holds_no_histories_is_refused(text: str, told: str) -> None:
    with pytest.raises(HistoriesFaulty) as refused:
        read_histories(text)
    assert told in str(refused.value)


def test_a_history_of_every_verb_is_what_the_events_would_have_been() -> None:
    text = """
[[history]]
name = "everything"
steps = [
  { on = 2027-03-01, election = "council", round = "hill", polling = 2027-03-20, campaign_from = 2027-03-05 },
  { on = 2027-03-01, open = "a", kind = "violence", threat_to_life = true, provisional = true, occurred = 2027-02-27 },
  { on = 2027-03-02, ratify = "a" },
  { on = 2027-03-02, open = "b", kind = "tension", severity = "severe", reports = ["r"] },
  { on = 2027-03-03, link = "b", report = "s" },
  { on = 2027-03-04, unlink = "b", report = "s" },
  { on = 2027-03-05, classify = "b", kind = "weapons" },
  { on = 2027-03-06, assess = "b", severity = "extreme", credibility = "3", state = "probably_true" },
  { on = 2027-03-07, merge = "b", into = "a" },
  { on = 2027-03-08, part = "b", into = "a" },
  { on = 2027-03-09, resolve = "b", outcome = "settled" },
  { on = 2027-03-10, reopen = "b", reason = "danger_returned" },
  { on = 2027-03-11, open = "c", kind = "violence", threat_to_life = true, provisional = true },
  { on = 2027-03-11, refuse = "c" },
  { on = 2027-03-12, withdraw = "r" },
  { on = 2027-03-12, close = "a" },
  { on = 2027-03-12, cover = "one", every = 1 },
  { on = 2027-03-12, check_in = "one" },
  { on = 2027-03-12, cover = "two", every = 1, place = "elsewhere" },
  { on = 2027-03-12, stand_down = "two" },
  { on = 2027-03-12, receive = "r2" },
  { on = 2027-03-12, expect = 0, place = "elsewhere" },
  { on = 2027-03-12, expect = LEVEL, points = POINTS, open_cases = OPEN, confidence = "high" },
]
"""
    row = the_same_by_events()
    text = text.replace("LEVEL", str(row["level"])).replace("POINTS", str(row["points"]))
    (history,) = read_histories(text.replace("OPEN", str(row["open_cases"])))
    assert {step.verb for step in history.steps} == set(VERBS)
    assert [str(miss) for miss in try_out(FIRST_RULES, history).missed] == []
    assert row["points"] > 0


def the_same_by_events() -> dict[str, Any]:
    log = Log()
    log.now = log.now.replace(year=2027, month=3, day=1, hour=10)
    log.rules().engine()
    polling = log.now.date().replace(day=20)
    log.election(polling, name="council", round="hill", campaign_from=polling.replace(day=5))
    log.opened("a", "violence", threat=True, provisional=True, occurred=2)
    log.after(days=1).ratified("a").opened("b", "tension", severity="severe", reports=("r",))
    log.after(days=1).linked("b", "s").after(days=1).unlinked("b", "s").after(days=1).classified("b", "weapons")
    log.after(days=1).assessed("b", "extreme", "3", state="probably_true")
    log.after(days=1).merged("b", "a").after(days=1).merge_reversed("b", "a")
    log.after(days=1).resolved("b").after(days=1).reopened("b", "danger_returned")
    log.after(days=1).opened("c", "violence", threat=True, provisional=True).not_ratified("c")
    log.after(days=1).withdrawn("r").closed("a").assigned("one").checked_in("one").received("r2").tick()
    (row,) = stood(log).units.values()
    return row


@pytest.mark.parametrize("day", ["1900-01-01", "2199-12-31"])
def test_the_first_and_the_last_day_that_a_history_may_have_are_folded(day: str) -> None:
    steps = f"{{ on = {day}, open = 'a', kind = 'violence' }}, {{ on = {day}, expect = 1 }}"
    (history,) = read_histories(f"[[history]]\nname = 'x'\nsteps = [{steps}]")
    assert try_out(FIRST_RULES, history).expected == 1


def test_who_covers_by_voice_checks_in_by_voice() -> None:
    text = """
[[history]]
name = "by voice"
steps = [
  { on = 2027-03-01, cover = "one", channel = "voice", every = 1 },
  { on = 2027-03-01, check_in = "one" },
  { on = 2027-03-12, check_in = "one" CHANNEL },
  { on = 2027-03-12, expect = "calm", confidence = "CONFIDENCE" },
]
"""
    for channel, confidence in (("", "high"), (', channel = "sms"', "medium")):
        (history,) = read_histories(text.replace(" CHANNEL", channel).replace("CONFIDENCE", confidence))
        assert [str(miss) for miss in try_out(FIRST_RULES, history).missed] == []
