"""Any history: the gaps of grave cases, and what is told of them, are what the definition says, read the slow way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.level import ResponseEscalated, ResponseOverdue
from projections.part import Part
from projections.projection import Derived
from projections.referral_board import PROJECTION
from projections.referral_board.table import state_of
from projections.taken import Taken
from tests.support.happenings import ACTS, HAPPENINGS, history
from tests.support.reference_gaps import Listed, listed

ABOUT = [
    *(act for act in ACTS if act.__name__ in ("assesses", "decides", "acts", "refers", "steps", "checks", "moves")),
    *(act for act in ACTS if act.__name__ in ("merges", "parts", "ends", "reopens", "ticks", "sleeps")),
    *[act for act in ACTS if act.__name__ in ("adopts_rules", "adopts_an_engine")] * 2,
]
"""What may happen, without what changes nothing here."""
LONG = settings.get_current_profile_name() == "long"
BUDGET = settings(max_examples=2_000 if LONG else 40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CUTS = st.lists(st.integers(1, 25), min_size=1, max_size=4)
Shown = dict[tuple[str, int], tuple[Any, ...]]


def shown(log: Sequence[Taken], sizes: Sequence[int] = (1,)) -> tuple[Shown, list[Derived]]:
    """The board's rows of these gaps and what it told, folded in batches; every state is written and read between."""
    gaps: Shown = {}
    derived: list[Derived] = []
    part: Part[Any, Any] = Part(PROJECTION.fold)
    kept: dict[str, bytes] = {}
    at = number = 0
    while at < len(log):
        batch = log[at : at + sizes[number % len(sizes)]]
        at, number = at + len(batch), number + 1
        wanted = part.wants(batch)
        part.hold(wanted, {key: state_of(kept[key].decode()) for key in wanted if key in kept})
        page, changed = part.take(batch)
        kept |= {key: orjson.dumps(part.states[key]) for key in changed}
        part.let_go(changed)
        for row in page.rows.get("gap", []):
            if row[1] == "referral_or_decision":
                gaps[row[0], row[3]] = (row[6], row[7], row[8], row[9], row[10], row[11])
        derived += page.derived
    return gaps, [one for one in derived if one.data.awaited == "referral_or_decision"]  # type: ignore[attr-defined]


def as_shown(reference: dict[str, Listed]) -> Shown:
    return {
        (stream, gap.step): (
            gap.due,
            *(gap.answered or (None, None)),
            len(gap.rungs),
            *(gap.rungs[-1] if gap.rungs else (None, None)),
        )
        for stream, case in reference.items()
        for gap in case.gaps
    }


def agree(log: Sequence[Taken], sizes: Sequence[int]) -> None:
    reference = listed(log)
    gaps, derived = shown(log, sizes)

    assert gaps == as_shown(reference)
    told: dict[str, list[tuple[str, str, int, int, str | None]]] = {}
    for one in derived:
        told.setdefault(f"case/{one.data.case_id}", []).append(in_short(one))  # type: ignore[attr-defined]
    assert told == {stream: case.told for stream, case in reference.items() if case.told}


def in_short(one: Derived) -> tuple[str, str, int, int, str | None]:
    match one.data:
        case ResponseOverdue(step=step):
            return one.due, "overdue", step, 0, None
        case ResponseEscalated(step=step, rung=rung, tell=tell):
            return one.due, "escalated", step, rung, str(tell)
    raise AssertionError(one.data.name)


def long_histories(how_many: int) -> list[list[Taken]]:
    made = []
    for seed in range(how_many):
        dice = random.Random(seed)
        steps = [(dice.choice(ABOUT), dice.randrange(3), dice.randrange(8), dice.choice((0, 1, 7))) for _ in range(100)]
        made.append(history(steps))
    return made


@BUDGET
@given(HAPPENINGS, CUTS)
def test_the_list_of_gaps_is_what_the_definition_says_however_the_history_is_cut(happenings: Any, cut: Any) -> None:
    agree(history(happenings), cut)


def test_it_is_so_where_one_thing_leads_to_another() -> None:
    reached: set[int] = set()
    ends: set[str] = set()
    for seed, log in enumerate(long_histories(60 if LONG else 12)):
        agree(log, (1 + seed % 5, 3))
        for case in listed(log).values():
            reached |= {len(gap.rungs) for gap in case.gaps}
            ends |= {gap.answered[1] for gap in case.gaps if gap.answered}
    assert reached == {0, 1, 2, 3}
    assert ends >= {"case.decided", "case.action_recorded", "case.assessed", "case.merged", "case.resolved"}


def test_a_replay_tells_the_same_bytes() -> None:
    for log in long_histories(3):
        once, again = shown(log, (7,)), shown(log, (1, 50))
        assert orjson.dumps([one.data.wire_data() for one in once[1]]) == orjson.dumps(
            [one.data.wire_data() for one in again[1]]
        )
        assert [one.seed for one in once[1]] == [one.seed for one in again[1]]
        assert once[0] == again[0]
