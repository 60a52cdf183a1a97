"""A severe case that nobody answers goes up the ladder of the rules, rung by rung, until somebody does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.case.events import (
    CaseClosed,
    CaseMerged,
    CaseMergeReversed,
    CaseReferralDeclined,
    CaseReferralDeliveryFailed,
    CaseReferralRevoked,
    CaseReferred,
)
from events.event import Event
from events.level import ResponseEscalated
from events.reference import EngineAdopted
from events.vocabulary import (
    Means,
    ReasonDeclined,
    ReasonRevoked,
    Severity,
    wire_time,
)
from projections.part import Part, Unfoldable
from projections.referral_board import PROJECTION
from tests.support.domain import CASE, HOME, NOW, OTHER_CASE, PLACE, opened, provisional, referred
from tests.support.projected import folded
from tests.support.written import Written
from tests.unit.referral_board.told import (
    ACTED,
    CASE_STREAM,
    DECIDED,
    FAR,
    REASON,
    REFERRAL,
    REOPENED,
    RESOLVED,
    RULES,
    accepted,
    acknowledged,
    assessed,
    climbed,
    completed,
    found,
    overdue,
    ruled,
    spoken,
    tick,
    told,
)

CLOSED = CaseClosed(reason=REASON)
MERGED = CaseMerged(into=OTHER_CASE)
PARTED = CaseMergeReversed(into=OTHER_CASE)
DECLINED = CaseReferralDeclined(referral_id=REFERRAL, reason=ReasonDeclined.UNSAFE)
REVOKED = CaseReferralRevoked(referral_id=REFERRAL, reason=ReasonRevoked.HARM_FEARED)
FAILED = CaseReferralDeliveryFailed(referral_id=REFERRAL, means=Means.PHONE)


def a_ladder(*rungs: tuple[int, str]) -> str:
    return "".join(f'[[response.ladder]]\nafter_hours = {hours}\ntell = "{tell}"\n' for hours, tell in rungs)


LADDER = RULES + a_ladder((0, "referral_officer"), (6, "coordinator"), (24, "reviewer"))
WHOLE = [(1, 1, "referral_officer", 24.0), (1, 2, "coordinator", 30.0), (1, 3, "reviewer", 48.0)]
AT_ONCE = "[response]\nopen_cases_too = true\n"


def a_severe_case(rules: str = LADDER) -> Written:
    return spoken(rules).write(CASE_STREAM, opened(), assessed("severe"))


def referred_far() -> CaseReferred:
    return referred(acknowledge_by=FAR, act_by=FAR)


def hourly(log: Written, hours: int) -> Written:
    for _ in range(hours):
        tick(log.after(hours=1))
    return log


def rows(log: Written) -> list[tuple[Any, ...]]:
    """(step, answered by, rung, whom, next whom, hours from NOW to the next) of each gap of a case nobody answered."""
    page, _ = folded(PROJECTION, log.events)
    last = {row[3]: row for row in page.rows.get("gap", []) if row[1] == "referral_or_decision"}
    return [(row[3], row[8], row[9], row[10], row[12], row[13]) for row in last.values()]


def test_every_rung_is_told_when_its_hours_are_over_and_once() -> None:
    log = hourly(a_severe_case(), 29)
    assert climbed(log) == WHOLE[:1]

    assert climbed(hourly(log, 1)) == WHOLE[:2]
    assert climbed(hourly(log, 100)) == WHOLE


def test_one_tick_after_a_long_silence_tells_the_gap_and_then_every_rung_in_order() -> None:
    _, derived = folded(PROJECTION, tick(a_severe_case().after(days=9)).events)

    assert [one.data.name for one in derived] == ["level.response_overdue", *["level.response_escalated"] * 3]
    assert [one.seed.removeprefix(f"overdue/{CASE}/case/referral_or_decision/") for one in derived] == [
        "1",
        *(f"1/rung/{rung}" for rung in (1, 2, 3)),
    ]
    assert climbed(tick(a_severe_case().after(days=9))) == WHOLE


def test_a_rung_names_unit_case_role_and_moment_and_nobody() -> None:
    (said,) = (
        one
        for one in folded(PROJECTION, tick(a_severe_case().after(hours=24)).events)[1]
        if isinstance(one.data, ResponseEscalated)
    )

    assert (said.stream, said.home, said.engine) == (f"level/{PLACE.unit}", HOME, 1)
    assert said.due == wire_time(NOW + timedelta(hours=24))
    assert said.data.wire_data() == {
        "unit": PLACE.unit,
        "case_id": str(CASE),
        "awaited": "referral_or_decision",
        "step": 1,
        "rung": 1,
        "tell": "referral_officer",
        "due": said.due,
    }


def test_the_row_of_a_gap_says_how_far_it_is_and_what_comes_next() -> None:
    log = a_severe_case()

    def at(hours: int) -> str:
        return wire_time(NOW + timedelta(hours=hours))

    assert rows(hourly(log, 24)) == [(1, None, 1, "referral_officer", "coordinator", at(30))]
    assert rows(hourly(log, 6)) == [(1, None, 2, "coordinator", "reviewer", at(48))]
    assert rows(hourly(log, 18)) == [(1, None, 3, "reviewer", None, None)]
    assert rows(log.write(CASE_STREAM, DECIDED)) == [(1, "case.decided", 3, "reviewer", None, None)]


def test_without_a_ladder_a_gap_is_told_and_climbs_nowhere() -> None:
    log = hourly(a_severe_case(RULES), 100)

    assert (told(log), climbed(log)) == ([("referral_or_decision", 1)], [])


def test_a_provisional_case_with_a_stated_severity_climbs_as_one_assessed() -> None:
    log = spoken(LADDER).write(CASE_STREAM, provisional(severity=Severity.SEVERE))

    assert climbed(hourly(log, 100)) == WHOLE


def test_what_a_recipient_or_a_vote_owes_climbs_nowhere() -> None:
    log = spoken(LADDER).write(CASE_STREAM, provisional(severity=Severity.MINOR), referred())

    assert {what for what, _ in told(tick(log.after(days=9)))} == {"ratification", "acknowledgement", "action"}
    assert climbed(log) == []


@pytest.mark.parametrize(
    "answer",
    [(DECIDED,), (ACTED,), (referred_far(), accepted()), (assessed("moderate", 2),), (RESOLVED,), (CLOSED,), (MERGED,)],
)
def test_whatever_answers_it_or_takes_it_from_the_list_ends_the_climb(answer: tuple[Event, ...]) -> None:
    log = hourly(a_severe_case(), 31).write(CASE_STREAM, *answer)

    assert climbed(hourly(log, 100)) == WHOLE[:2]
    ((_, answered_by, rung, _, _, following),) = rows(log)
    assert (answered_by, rung, following) == (answer[-1].name, 2, None)


@pytest.mark.parametrize(
    "no_answer",
    [(referred_far(),), (referred_far(), acknowledged()), (referred_far(), FAILED), (referred_far(), DECLINED)],
)
def test_a_referral_nobody_took_ends_no_climb(no_answer: tuple[Event, ...]) -> None:
    log = hourly(a_severe_case(), 31).write(CASE_STREAM, *no_answer)

    assert climbed(hourly(log, 100)) == WHOLE


@pytest.mark.parametrize("end", [(REVOKED,), (completed(successful=False, reason_not="other"),)])
def test_where_what_answered_came_to_nothing_the_climb_begins_anew_from_then_on(end: tuple[Event, ...]) -> None:
    log = hourly(a_severe_case(), 31).write(CASE_STREAM, referred_far(), accepted())
    hourly(log, 9).write(CASE_STREAM, *end)

    assert climbed(hourly(log, 31)) == [
        *WHOLE[:2],
        (2, 1, "referral_officer", 64.0),
        (2, 2, "coordinator", 70.0),
    ]


def test_a_contradicted_outcome_opens_it_again_with_a_target_counted_from_then_and_a_climb_from_below() -> None:
    log = hourly(a_severe_case(), 31).write(CASE_STREAM, referred_far(), accepted(), completed())
    hourly(log, 9).write(CASE_STREAM, found("contradicted"))

    assert [(one.data.step, one.due) for one in overdue(hourly(log, 100)) if one.data.awaited != "action"] == [
        (1, wire_time(NOW + timedelta(hours=24))),
        (2, wire_time(NOW + timedelta(hours=64))),
    ]
    assert climbed(log) == [
        *WHOLE[:2],
        (2, 1, "referral_officer", 64.0),
        (2, 2, "coordinator", 70.0),
        (2, 3, "reviewer", 88.0),
    ]


def test_a_confirmed_outcome_opens_nothing() -> None:
    log = hourly(a_severe_case(), 31).write(CASE_STREAM, referred_far(), accepted(), completed(), found("confirmed"))

    assert climbed(hourly(log, 100)) == WHOLE[:2]


def test_a_case_found_severe_again_or_reopened_begins_below() -> None:
    for away, back in (
        (assessed("moderate", 2), assessed("severe", 3)),
        (RESOLVED, REOPENED),
        (CLOSED, REOPENED),
    ):
        log = hourly(a_severe_case(), 31).write(CASE_STREAM, away)
        hourly(log, 9).write(CASE_STREAM, back)
        assert climbed(hourly(log, 24)) == [*WHOLE[:2], (2, 1, "referral_officer", 64.0)], back.name


def test_a_case_that_turns_extreme_on_the_ladder_goes_on_climbing_it() -> None:
    log = hourly(a_severe_case(), 31).write(CASE_STREAM, assessed("extreme", 2))

    assert climbed(hourly(log, 100)) == WHOLE


def test_a_case_parted_again_stands_where_it_stood_and_reaches_what_fell_due_meanwhile() -> None:
    log = hourly(a_severe_case(), 25).write(CASE_STREAM, MERGED)
    assert climbed(hourly(log, 10)) == WHOLE[:1]

    log.write(CASE_STREAM, PARTED)
    assert climbed(log) == WHOLE[:2]
    assert climbed(hourly(log, 100)) == WHOLE


# --- engines and rules that come midway -----------------------------------------------------------------------------


def test_before_an_engine_speaks_nothing_climbs_and_then_everything_that_is_over() -> None:
    log = ruled(Written(), LADDER).write(CASE_STREAM, opened(), assessed("severe"))
    hourly(log, 31)
    assert rows(log) == [(1, None, 0, None, None, None)]

    log.write("reference/engines", EngineAdopted(projection="referral_board", number=1))
    assert climbed(log) == WHOLE[:2]
    assert climbed(hourly(log, 100)) == WHOLE


def test_a_ladder_adopted_while_a_gap_is_open_is_climbed_at_once_as_far_as_is_over() -> None:
    log = ruled(hourly(a_severe_case(RULES), 31), LADDER)

    assert climbed(log) == WHOLE[:2]
    assert climbed(hourly(log, 100)) == WHOLE


def test_another_ladder_takes_nothing_back_and_goes_on_with_the_number_above() -> None:
    log = hourly(a_severe_case(), 31)
    ruled(log, RULES + a_ladder((1, "analyst"), (2, "analyst"), (10, "analyst"), (12, "reviewer")))

    assert climbed(hourly(log, 100)) == [*WHOLE[:2], (1, 3, "analyst", 34.0), (1, 4, "reviewer", 36.0)]


def test_a_gap_at_the_top_goes_on_where_a_longer_ladder_is_adopted() -> None:
    log = hourly(a_severe_case(), 50)
    ruled(log, LADDER + a_ladder((25, "analyst"), (48, "analyst")))

    assert climbed(log) == [*WHOLE, (1, 4, "analyst", 49.0)]
    assert climbed(hourly(log, 100)) == [*WHOLE, (1, 4, "analyst", 49.0), (1, 5, "analyst", 72.0)]


@pytest.mark.parametrize("rules", [RULES, RULES + a_ladder((0, "analyst")), 'name = "silent"\n'])
def test_on_a_shorter_ladder_or_none_it_stays_where_it_is(rules: str) -> None:
    log = ruled(hourly(a_severe_case(), 31), rules)

    assert climbed(hourly(log, 100)) == WHOLE[:2]
    assert rows(log) == [(1, None, 2, "coordinator", None, None)]


def test_rules_that_speak_for_open_cases_move_a_target_that_has_not_passed() -> None:
    sooner = ruled(hourly(a_severe_case(), 2), AT_ONCE + "[response.answer_within_hours]\nsevere = 8\n")
    assert [one.due for one in overdue(hourly(sooner, 30))] == [wire_time(NOW + timedelta(hours=8))]

    later = ruled(hourly(a_severe_case(), 2), AT_ONCE + "[response.answer_within_hours]\nsevere = 48\n")
    assert [one.due for one in overdue(hourly(later, 60))] == [wire_time(NOW + timedelta(hours=48))]


def test_a_target_that_lies_in_the_past_by_such_rules_passes_at_once() -> None:
    log = ruled(hourly(a_severe_case(), 10), AT_ONCE + "[response.answer_within_hours]\nsevere = 8\n")

    assert [one.due for one in overdue(log)] == [wire_time(NOW + timedelta(hours=8))]


def test_such_rules_leave_what_has_passed_as_it_is() -> None:
    for rules in ("severe = 48\n", "severe = 1\n", ""):
        log = ruled(hourly(a_severe_case(), 31), AT_ONCE + f"[response.answer_within_hours]\n{rules}")
        assert told(hourly(log, 60)) == [("referral_or_decision", 1)]
        assert [row[:2] for row in rows(log)] == [(1, None)]


def test_such_rules_reach_a_case_of_which_nothing_was_wanted_before() -> None:
    log = a_severe_case('name = "silent"\n')
    ruled(hourly(log, 2), AT_ONCE + "[response.answer_within_hours]\nsevere = 8\n")

    assert [one.due for one in overdue(hourly(log, 30))] == [wire_time(NOW + timedelta(hours=8))]


def test_by_such_rules_too_the_earliest_target_of_a_case_that_changed_counts() -> None:
    log = hourly(a_severe_case(), 2).write(CASE_STREAM, assessed("extreme", 2))
    ruled(log, AT_ONCE + "[response.answer_within_hours]\nsevere = 7\nextreme = 6\n")

    assert [one.due for one in overdue(hourly(log, 30))] == [wire_time(NOW + timedelta(hours=7))]


@pytest.mark.parametrize(
    "ladder",
    [
        a_ladder((6, "analyst"), (6, "reviewer")),
        '[[response.ladder]]\nafter_hours = 1.5\ntell = "analyst"\n',
        "[[response.ladder]]\nafter_hours = 1\n",
    ],
)
def test_a_ladder_that_cannot_be_read_stops_the_worker(ladder: str) -> None:
    with pytest.raises(Unfoldable, match=r"a ladder has a rung without hours"):
        Part(PROJECTION.fold).take(ruled(Written(), ladder).events)
