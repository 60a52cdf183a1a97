"""A case merged into another counts no toll any more, and no toll is lost or counted twice by a merging."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.case.events import CaseHarmRecorded
from events.case.judging import RecordHarm, record_harm
from events.case.linking import Merge, ReverseMerge, merge, reverse_merge
from events.case.refusals import TollsCountedApart
from events.case.state import Case, evolve
from events.refusals import Refusal
from events.vocabulary import HarmKind
from tests.support.domain import CASE, HOME, OTHER_CASE, act, case, fold, one, opened

THIRD, FOURTH = one("third"), one("fourth")
KILLED, HOUSES = HarmKind.KILLED, HarmKind.HOUSES


def counting(case_id: UUID, **tolls: UUID | None) -> Case:
    """A case with a toll of each of these kinds, and where each counts."""
    events = [
        CaseHarmRecorded(what=HarmKind(what), min=2, max=3, basis="witnessed", counted_in=counted_in)
        for what, counted_in in tolls.items()
    ]
    return case(opened(case_id=case_id), *events, case_id=case_id)


def merged(away: Case, into: Case) -> tuple[Case, Case]:
    there, here = merge(away, Merge(into=into.case_id), act(), into=into, home=HOME, there=HOME)
    return fold(away, evolve, there), fold(into, evolve, here)


def counted(what: HarmKind, *cases: Case) -> set[UUID]:
    """The cases whose toll of this kind is in the sum: those that count it themselves and were not merged away."""
    return {known.case_id for known in cases if known.counted_in.get(what) == known.case_id and not known.merged_into}


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({"killed": CASE}, {}),
        ({"killed": CASE}, {"houses": OTHER_CASE}),
        ({"killed": CASE, "houses": CASE}, {"killed": OTHER_CASE}),
        ({"killed": CASE}, {"killed": CASE}),
        ({"killed": CASE}, {"killed": THIRD}),
        ({"killed": THIRD}, {}),
        ({"killed": THIRD}, {"killed": OTHER_CASE}),
        ({"killed": THIRD}, {"killed": FOURTH}),
    ],
)
def test_a_merging_that_would_lose_a_toll_or_count_it_twice_is_refused(
    here: dict[str, UUID], there: dict[str, UUID]
) -> None:
    with pytest.raises(TollsCountedApart) as refused:
        merged(counting(CASE, **here), counting(OTHER_CASE, **there))
    assert str(OTHER_CASE) in str(refused.value)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({}, {}),
        ({}, {"killed": OTHER_CASE}),
        ({}, {"killed": THIRD}),
        ({"killed": CASE}, {"killed": OTHER_CASE}),
        ({"killed": CASE}, {"killed": OTHER_CASE, "houses": OTHER_CASE}),
        ({"killed": OTHER_CASE}, {"killed": OTHER_CASE}),
        ({"killed": OTHER_CASE}, {"killed": THIRD}),
        ({"killed": THIRD}, {"killed": THIRD}),
    ],
)
def test_a_merging_into_a_case_that_counts_for_both_is_accepted(here: dict[str, UUID], there: dict[str, UUID]) -> None:
    before, into = counting(CASE, **here), counting(OTHER_CASE, **there)
    away, absorbing = merged(before, into)
    assert counted(KILLED, away, absorbing) == counted(KILLED, into)


def test_a_refusal_names_the_kinds_that_are_missing() -> None:
    away, into = counting(CASE, killed=CASE, houses=CASE), counting(OTHER_CASE, killed=OTHER_CASE)
    with pytest.raises(TollsCountedApart, match=r"\(houses\)"):
        merged(away, into)


def test_a_third_cases_toll_that_counts_in_an_absorbed_case_is_in_the_absorbing_ones() -> None:
    third = counting(THIRD, killed=CASE)
    away, into = merged(counting(CASE, killed=CASE), counting(OTHER_CASE, killed=OTHER_CASE))
    assert counted(KILLED, third, away, into) == {OTHER_CASE}


def test_cases_that_are_parted_count_their_own_tolls_again() -> None:
    before, into = counting(CASE, killed=CASE), counting(OTHER_CASE, killed=OTHER_CASE)
    away, absorbing = merged(before, into)
    there, here = reverse_merge(away, ReverseMerge(into=OTHER_CASE), act(), into=absorbing)
    assert counted(KILLED, fold(away, evolve, there), fold(absorbing, evolve, here)) == {CASE, OTHER_CASE}


CASES = [one(name) for name in "abcd"]
STEPS = st.lists(
    st.tuples(st.sampled_from(["toll", "toll", "merge", "part"]), st.sampled_from(CASES), st.sampled_from(CASES)),
    min_size=4,
    max_size=14,
)


@given(STEPS)
@settings(settings.get_profile("quick"), max_examples=400)
def test_whatever_is_merged_and_parted_every_toll_ends_in_one_case_that_counts(
    steps: list[tuple[str, UUID, UUID]],
) -> None:
    cases = {case_id: counting(case_id) for case_id in CASES}
    for step, start, end in steps:
        try:
            match step:
                case "toll":
                    told = RecordHarm(what=KILLED, basis="witnessed", counted_in=end)
                    changed = {start: record_harm(cases[start], told, act(), counting=cases[end])}
                case "merge":
                    there, here = merge(cases[start], Merge(into=end), act(), into=cases[end], home=HOME, there=HOME)
                    changed = {start: there, end: here}
                case _:
                    there, here = reverse_merge(cases[start], ReverseMerge(into=end), act(), into=cases[end])
                    changed = {start: there, end: here}
        except Refusal:
            continue
        cases |= {case_id: fold(cases[case_id], evolve, events) for case_id, events in changed.items()}
        for case_id in (known.case_id for known in cases.values() if KILLED in known.counted_in):
            assert where_counted(cases, case_id) in counted(KILLED, *cases.values())


def where_counted(cases: Mapping[UUID, Case], case_id: UUID) -> UUID:
    """The end of the way: what counts in a case merged away counts in the one that it went into."""
    for _ in cases:
        known = cases[case_id]
        following = known.counted_in[KILLED]
        if following == case_id:
            if known.merged_into is None:
                return case_id
            following = known.merged_into
        case_id = following
    raise AssertionError("a circle counts the toll nowhere")
