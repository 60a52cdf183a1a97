"""What two rule sets say of random histories is, day by day and case by case, what the definition says.

`INTABAZA_EXAMPLES=10000` tries as many histories.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from events.vocabulary import wire_time
from projections.alert_level.rules import Rules
from projections.taken import Taken
from services.what_if.comparing import Comparison, Side, compare
from services.what_if.folding import Kept, fold_twice
from tests.support.examples import examples
from tests.support.level_histories import OTHER_RULES, history
from tests.support.levels import FIRST_RULES
from tests.support.reference_what_if import Expected, expected, otherwise
from tests.support.reform_histories import drawn_rules, reform_history

SEEDS, LEVELS = st.integers(0, 2**32), st.integers(1, 4)
LATER = st.sampled_from((0, 1, 20 * 3600, 45 * 24 * 3600))


@examples(15)
@given(seed=SEEDS, length=st.integers(1, 80), warned_from=LEVELS, later=LATER)
def test_what_many_cases_are_told_under_two_rule_sets_is_what_the_definition_says(
    seed: int, length: int, warned_from: int, later: int
) -> None:
    assert_agree(history(seed, length), OTHER_RULES, warned_from, later)


@examples(12)
@given(seed=SEEDS, length=st.integers(1, 60), warned_from=LEVELS, later=LATER)
def test_reforms_midnights_and_drawn_rules_make_no_difference_to_that(
    seed: int, length: int, warned_from: int, later: int
) -> None:
    assert_agree(reform_history(seed, length), drawn_rules(Random(seed)), warned_from, later)


@examples(15)
@given(seed=SEEDS, length=st.integers(1, 80), of_vela=st.booleans())
def test_a_rule_set_against_itself_differs_in_nothing(seed: int, length: int, of_vela: bool) -> None:
    text = OTHER_RULES if of_vela else drawn_rules(Random(seed))
    log = otherwise(history(seed, length) if of_vela else reform_history(seed, length), text)
    found = compared(log, text, log[-1].time, 2)
    if found is not None:
        assert not found.differences
        assert [one for one in found.warned if one.adopted != one.other] == []
        assert not any(one.alone for one in found.alerts)
        assert found.unit_days[Side.ADOPTED] == found.unit_days[Side.OTHER]
        assert found.told[Side.ADOPTED] == found.told[Side.OTHER]


@examples(15)
@given(seed=SEEDS, length=st.integers(10, 80), lower=st.integers(2, 20), warned_from=LEVELS)
def test_lower_thresholds_never_say_a_lower_level_and_never_warn_later(
    seed: int, length: int, lower: int, warned_from: int
) -> None:
    text = FIRST_RULES.replace("up = [4000, 15000, 35000, 80000]", f"up = {[n // lower for n in UP]}").replace(
        "down = [2500, 11000, 27000, 60000]", f"down = {[n // lower for n in DOWN]}"
    )
    assert Rules(text).up == tuple(n // lower for n in UP)
    assert Rules(text).down == tuple(n // lower for n in DOWN)
    log = otherwise(history(seed, length), FIRST_RULES)
    found = compared(log, text, log[-1].time, warned_from)
    if found is not None:
        assert all(one.stretch.other >= one.stretch.adopted for one in found.differences)
        assert found.alert_days(Side.OTHER) >= found.alert_days(Side.ADOPTED)
        assert all(one.adopted is None or (one.gained is not None and one.gained >= 0) for one in found.warned)
        assert not any(one.alone for one in found.alerts if one.side is Side.ADOPTED)


@examples(10)
@given(seed=SEEDS, length=st.integers(10, 80), cuts=st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_neither_batches_nor_partitions_make_a_difference(seed: int, length: int, cuts: list[int]) -> None:
    log = history(seed, length)
    whole = compared(log, OTHER_RULES, log[-1].time, 3)
    homes = sorted({one.home for one in log if not one.is_broadcast})
    together = Kept()
    for share in (set(homes[::2]), set(homes[1::2])):
        mine = [one for one in log if one.is_broadcast or one.home in share]
        pieces = [mine[at : at + cuts[0]] for at in range(0, len(mine), cuts[0])]
        together.add(fold_twice(lambda pieces=pieces: pieces, OTHER_RULES, log[-1].time))  # type: ignore[misc]
    apart = _compared(together, OTHER_RULES, log[-1].time, 3)
    assert apart == whole


UP, DOWN = (4000, 15000, 35000, 80000), (2500, 11000, 27000, 60000)


def compared(log: Sequence[Taken], text: str, until: str, warned_from: int) -> Comparison | None:
    """The comparison of a log in one partition; None where no rules were adopted."""
    return _compared(fold_twice(lambda: [log], text, until), text, until, warned_from)


def _compared(kept: Kept, text: str, until: str, warned_from: int) -> Comparison | None:
    assert not kept.left_out
    if not kept.rules:
        return None
    rules = Rules(text)
    return compare(kept, rules.day(kept.rules[0].recorded_at), rules.day(until), warned_from)


def assert_agree(log: Sequence[Taken], text: str, warned_from: int, later: int) -> None:
    until = wire_time(datetime.fromisoformat(log[-1].time) + timedelta(seconds=later))
    found, wanted = compared(log, text, until, warned_from), expected(log, text, until, warned_from)
    if wanted is None:
        assert found is None
        return
    assert found is not None
    assert (found.first, found.last) == (wanted.first.toordinal(), wanted.last.toordinal())
    assert_days_agree(found, wanted, warned_from)
    assert {one.case_id: (one.adopted, one.other) for one in found.warned} == wanted.leads
    assert found.not_asked == wanted.not_asked
    alerts = {
        (str(one.side), one.unit, date.fromordinal(one.first), date.fromordinal(one.last)): (
            str(one.verdict),
            one.because and str(one.because),
            one.alone,
        )
        for one in found.alerts
    }
    assert alerts == wanted.alerts
    for side in Side:
        assert +_counter(found.told[side]) == wanted.told[side]


def assert_days_agree(found: Comparison, wanted: Expected, warned_from: int) -> None:
    assert list(found.units) == sorted(wanted.levels["adopted"])
    differing = {
        (one.unit, day): (one.stretch.adopted, one.stretch.other)
        for one in found.differences
        for day in range(one.stretch.first, one.stretch.last + 1)
    }
    adopted, other = wanted.levels["adopted"], wanted.levels["other"]
    assert differing == {
        (unit, day.toordinal()): (level, other[unit][day])
        for unit, of in adopted.items()
        for day, level in of.items()
        if level != other[unit][day]
    }
    for side in Side:
        levels = wanted.levels[side]
        assert list(found.unit_days[side]) == [
            sum(level == one for of in levels.values() for one in of.values()) for level in range(5)
        ]
        days = [date.fromordinal(day) for day in range(found.first, found.last + 1)]
        assert list(found.by_day[side]) == [sum(of[day] >= warned_from for of in levels.values()) for day in days]
        assert found.alert_days(side) == sum(found.by_day[side])


def _counter(told: object) -> Counter[str]:
    return Counter(told)  # type: ignore[call-overload, no-any-return]
