"""What the fold of coverage reads of a rule set: the numbers of silence alone, whatever else stands beside them."""

from __future__ import annotations

from projections.coverage.told import read_rules
from projections.rule_set import read_rule_set
from tests.support.levels import FIRST_RULES


def test_the_numbers_of_the_first_rules_are_read_as_the_level_reads_them() -> None:
    silence = read_rule_set(FIRST_RULES).coverage
    assert silence is not None
    assert read_rules(FIRST_RULES) == ("Africa/Bujumbura", silence.patience)


def test_rules_that_say_nothing_of_coverage_have_no_patience() -> None:
    assert read_rules(FIRST_RULES.partition("[coverage]")[0]) == ("Africa/Bujumbura", None)
