"""A case stands on its own reports and on what every case merged into it stands on, for as long as they are merged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.levels import Log, stood
from tests.unit.alert_level.rare_histories import begun

NIGHTS = pytest.mark.parametrize("nights", [0, 2], ids=["at once", "after nights, when what was merged is laid by"])


def two(nights: int = 0) -> Log:
    """`b`, which stands on `s`, merged into `a`, which stands on `r`."""
    log = begun().opened("a", severity="extreme", reports=("r",)).opened("b", severity="severe", reports=("s",))
    log.merged("b", "a")
    return log.days(nights) if nights else log


def three(nights: int = 0) -> Log:
    """`c` merged into `b`, and `b` into `a`; each with a report of its own."""
    log = begun().opened("a", severity="extreme", reports=("r",))
    log.opened("b", reports=("s",)).opened("c", reports=("t",)).merged("c", "b")
    if nights:
        log.days(nights)
    log.merged("b", "a")
    return log.days(nights) if nights else log


def given(log: Log, name: str = "a") -> int:
    return stood(log).weight(name)["given"]  # type: ignore[no-any-return]


@NIGHTS
def test_the_only_report_of_a_case_falls_and_the_level_stays_while_one_of_a_case_merged_into_it_stands(
    nights: int,
) -> None:
    log = two(nights)
    told = stood(log).told()
    assert stood(log.withdrawn("r")).told() == told
    assert given(log) == 40_000
    after = stood(log.withdrawn("s"))
    assert after.told() == [*told, (told[-1][1], 0, "retraction")]
    assert after.alerts[-1].change == "cancelled"


@NIGHTS
@pytest.mark.parametrize("lose", [lambda log: log.withdrawn("s"), lambda log: log.unlinked("b", "s")])
def test_the_report_of_a_merged_case_is_lost_and_the_other_one_stands_on_its_own(
    lose: Callable[[Log], Log], nights: int
) -> None:
    log = two(nights)
    assert given(lose(log)) == 40_000
    assert given(log.withdrawn("r")) == 0


@NIGHTS
@pytest.mark.parametrize("order", ["rst", "rts", "srt", "str", "trs", "tsr"])
def test_of_a_chain_the_last_report_is_the_one_that_counts_in_whatever_order_they_fall(order: str, nights: int) -> None:
    log = three(nights)
    for report in order[:2]:
        log.withdrawn(report)
    assert given(log) == 40_000
    assert given(log.withdrawn(order[2])) == 0


@NIGHTS
def test_a_chain_that_is_taken_apart_takes_all_that_lies_below_away(nights: int) -> None:
    log = three(nights).withdrawn("r").withdrawn("s")
    assert (given(log), given(log.merge_reversed("b", "a")), given(log, "b")) == (40_000, 0, 10_000)
    log.merge_reversed("c", "b")
    assert (given(log), given(log, "b"), given(log, "c")) == (0, 0, 10_000)


def test_a_merging_is_told_with_its_first_event_and_a_level_in_between_to_nobody() -> None:
    log = begun().opened("a", severity="extreme", reports=("r",)).withdrawn("r").opened("b", "tension", reports=("s",))
    before = stood(log).told()
    assert given(log.merged("b", "a")) == 40_000
    assert stood(log).told() == [*before, (before[-1][1], 3, "evidence")]


@NIGHTS
def test_a_merging_that_is_reversed_takes_the_ground_away_as_a_correction(nights: int) -> None:
    log = two(nights).withdrawn("r")
    before = stood(log)
    after = stood(log.merge_reversed("b", "a"))
    assert (given(log), given(log, "b")) == (0, 20_000)
    assert after.told() == [*before.told(), (3, 2, "retraction")]
    assert after.alerts[-1].change == "corrected"


def test_in_another_row_what_comes_back_is_evidence_and_what_loses_its_ground_a_correction() -> None:
    log = begun().opened("a", severity="extreme", reports=("r",))
    log.opened("b", severity="severe", unit="other", reports=("s",)).merged("b", "a").withdrawn("r")
    after = stood(log.merge_reversed("b", "a"))
    assert after.told()[-1] == (3, 0, "retraction")
    assert after.told("other")[-1] == (0, 2, "evidence")
    after = stood(log.merged("b", "a"))
    assert after.told()[-1] == (0, 3, "evidence")
    assert after.told("other")[-1] == (2, 0, "retraction")


def test_a_merging_that_is_reversed_leaves_each_with_what_it_had() -> None:
    log = begun().opened("a", severity="extreme").opened("b", reports=("s",))
    log.merged("b", "a").merge_reversed("b", "a")
    assert given(log) == 40_000  # opened without a report, it has lost none
    log.merged("b", "a").withdrawn("s").merge_reversed("b", "a")
    assert (given(log), given(log, "b")) == (40_000, 0)


def test_it_is_the_same_whether_a_report_was_lost_before_or_after_the_merging() -> None:
    before = begun().opened("a", reports=("r",)).opened("b", reports=("s",)).withdrawn("r").merged("b", "a")
    after = begun().opened("a", reports=("r",)).opened("b", reports=("s",)).merged("b", "a").withdrawn("r")
    for log in (before, after):
        assert (given(log), given(log.withdrawn("s"))) == (10_000, 0)


@NIGHTS
def test_a_report_linked_to_a_merged_case_founds_the_one_that_stands_for_it(nights: int) -> None:
    log = two(nights).withdrawn("r").withdrawn("s")
    assert given(log) == 0
    assert given(log.linked("b", "t")) == 40_000
    assert stood(log).told()[-1] == (0, 3, "evidence")


@NIGHTS
def test_a_provisional_case_speaks_by_who_opened_it_also_for_the_one_it_was_merged_into(nights: int) -> None:
    log = begun().opened("a", severity="extreme", reports=("r",))
    log.opened("b", threat=True, provisional=True, reports=("s",)).merged("b", "a")
    if nights:
        log.days(nights)
    assert given(log.withdrawn("r").withdrawn("s")) == 40_000
    assert given(log.merge_reversed("b", "a")) == 0
    assert given(log, "b") > 0


@pytest.mark.parametrize("act", ["assessed", "ratified", "reopened"])
def test_what_was_judged_on_the_reports_of_another_is_lost_with_them(act: str) -> None:
    log = two().withdrawn("r")
    getattr(log, act)("a")
    assert given(log) > 0
    assert given(log.withdrawn("s")) == 0
    getattr(log, act)("a")
    assert given(log) > 0
    assert given(log.merge_reversed("b", "a")) > 0  # this time it was judged when nothing else was left


@NIGHTS
def test_a_case_that_was_merged_into_a_third_stands_for_the_first_no_more(nights: int) -> None:
    """No door lets this in without a reversal between; the latest word counts."""
    log = begun().opened("a", reports=("r",)).opened("b", reports=("s",)).opened("c", reports=("t",)).merged("b", "a")
    if nights:
        log.days(nights)
    log.merged("b", "c").withdrawn("r").withdrawn("t")
    assert (given(log), given(log, "c")) == (0, 10_000)


def test_cases_merged_in_a_circle_come_to_an_end() -> None:
    log = begun().opened("a", reports=("r",)).opened("b", reports=("s",)).merged("a", "b").merged("b", "a")
    log.withdrawn("r").withdrawn("s").days(2).linked("b", "t").withdrawn("t").merge_reversed("a", "b")
    assert given(log) == 0
    assert given(log.linked("b", "u")) == 10_000


def test_a_case_laid_by_comes_back_on_what_became_of_those_merged_into_it_meanwhile() -> None:
    def closed(*lost: str) -> Log:
        log = begun().opened("a", "tension", reports=("r",)).opened("b", "tension", reports=("s",)).merged("b", "a")
        log.closed("a").days(200)
        assert stood(log).weight("a")["laid_by"]
        for report in lost:
            log.withdrawn(report)
        assert stood(log).weight("a")["laid_by"]
        return log.reopened("a", "danger_returned")

    assert given(closed("r")) > 0
    assert given(closed("r").withdrawn("s")) == 0
    assert given(closed("r", "s")) > 0  # reopened when it stood on nothing, it stands on that
    assert given(closed("s").withdrawn("r")) == 0
