"""A severe case wants a referral that somebody takes, a decision or an act, within what the rules say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.case.events import (
    CaseClosed,
    CaseDecided,
    CaseMerged,
    CaseMergeReversed,
    CaseNotRatified,
    CaseRatified,
    CaseReferralRevoked,
    CaseReferred,
)
from events.event import Event
from events.vocabulary import (
    Decided,
    ReasonRevoked,
    Severity,
    wire_time,
)
from projections.part import Part, Unfoldable
from projections.referral_board import PROJECTION
from projections.referral_board.waiting import asked_since
from tests.support.domain import CASE, INES, LATER, NOW, OTHER_CASE, SOON, opened, provisional, referred
from tests.support.written import Written
from tests.unit.referral_board.told import (
    ACTED,
    CASE_STREAM,
    DECIDED,
    FAR,
    QUORUM,
    REASON,
    REFERRAL,
    REOPENED,
    RESOLVED,
    RULES,
    accepted,
    acknowledged,
    assessed,
    completed,
    found,
    overdue,
    ruled,
    spoken,
    tick,
    told,
)

UNANSWERED = ("referral_or_decision", 1)


def referred_far() -> CaseReferred:
    """A referral whose own deadlines do not pass in these tests."""
    return referred(acknowledge_by=FAR, act_by=FAR)


def a_severe_case() -> Written:
    return spoken().write(CASE_STREAM, opened(), assessed("severe"))


def test_a_severe_case_without_an_answer_is_told_after_as_many_hours_as_the_rules_say() -> None:
    log = a_severe_case()

    assert told(tick(log.after(hours=23.9))) == []
    (gap,) = overdue(tick(log.after(hours=0.1)))
    assert (gap.data.awaited, gap.data.referral_id) == ("referral_or_decision", None)
    assert gap.due == wire_time(NOW + timedelta(hours=24))
    assert gap.seed == f"overdue/{CASE}/case/referral_or_decision/1"


def test_an_extreme_case_wants_an_answer_sooner() -> None:
    log = spoken().write(CASE_STREAM, opened(), assessed("extreme"))

    assert told(tick(log.after(hours=6))) == [UNANSWERED]


@pytest.mark.parametrize("severity", ["minor", "moderate", "a word of a later version"])
def test_a_lesser_case_wants_none(severity: str) -> None:
    assert told(tick(spoken().write(CASE_STREAM, opened(), assessed(severity)).after(days=9))) == []


@pytest.mark.parametrize("choice", list(Decided))
def test_any_decision_answers_also_the_one_not_to_act(choice: Decided) -> None:
    decided = CaseDecided(choice=choice, by=INES.ref, reason=REASON)

    assert told(tick(a_severe_case().write(CASE_STREAM, decided).after(days=9))) == []


def test_an_act_answers() -> None:
    assert told(tick(a_severe_case().write(CASE_STREAM, ACTED).after(days=9))) == []


def test_a_referral_answers_when_somebody_takes_it_and_not_before() -> None:
    log = a_severe_case().write(CASE_STREAM, referred_far(), acknowledged())

    assert told(tick(log.after(hours=25))) == [UNANSWERED]
    taken = a_severe_case().write(CASE_STREAM, referred_far(), accepted())
    assert told(tick(taken.after(hours=25))) == []


def test_a_referral_that_was_taken_and_taken_back_answers_no_more_from_then_on() -> None:
    revoked = CaseReferralRevoked(referral_id=REFERRAL, reason=ReasonRevoked.CONSENT_WITHDRAWN)
    log = a_severe_case().write(CASE_STREAM, referred_far(), accepted()).after(hours=20).write(CASE_STREAM, revoked)

    assert told(tick(log.after(hours=23))) == []
    assert told(tick(log.after(hours=1))) == [UNANSWERED]


def test_a_referral_that_was_completed_without_success_answers_nothing() -> None:
    undone = completed(successful=False, reason_not="other")

    assert told(tick(a_severe_case().write(CASE_STREAM, referred_far(), undone).after(hours=25))) == [UNANSWERED]


def test_a_late_answer_closes_the_gap() -> None:
    log = tick(a_severe_case().after(hours=25)).write(CASE_STREAM, DECIDED)

    assert told(tick(log.after(days=9))) == [UNANSWERED]


def test_a_contradicted_outcome_wants_an_answer_again_from_then_on_whatever_was_decided_before() -> None:
    log = a_severe_case().write(CASE_STREAM, DECIDED, referred_far(), accepted(), completed())
    log.after(days=2).write(CASE_STREAM, found("contradicted"))

    assert told(tick(log.after(hours=23))) == []
    assert told(tick(log.after(hours=1))) == [UNANSWERED]


def test_a_second_assessment_as_severe_starts_nothing_anew() -> None:
    log = a_severe_case().after(hours=20).write(CASE_STREAM, assessed("severe", 2))

    assert told(tick(log.after(hours=5))) == [UNANSWERED]


def test_a_case_that_turns_extreme_wants_its_answer_sooner() -> None:
    log = a_severe_case().after(hours=2).write(CASE_STREAM, assessed("extreme", 2))

    assert [one.due for one in overdue(tick(log.after(hours=6)))] == [wire_time(NOW + timedelta(hours=8))]


def test_a_case_that_turns_extreme_late_keeps_the_earlier_moment() -> None:
    log = a_severe_case().after(hours=20).write(CASE_STREAM, assessed("extreme", 2))

    assert [one.due for one in overdue(tick(log.after(hours=6)))] == [wire_time(NOW + timedelta(hours=24))]


def test_a_case_found_to_be_lesser_wants_nothing_more() -> None:
    log = a_severe_case().write(CASE_STREAM, assessed("moderate", 2))

    assert told(tick(log.after(days=9))) == []


def test_what_was_decided_about_a_lesser_case_does_not_answer_a_severe_one() -> None:
    log = spoken().write(CASE_STREAM, opened(), assessed("moderate"), DECIDED, assessed("severe", 2))

    assert told(tick(log.after(hours=25))) == [UNANSWERED]


def test_what_was_done_before_the_committee_agreed_that_it_is_severe_answers() -> None:
    log = spoken().write(CASE_STREAM, opened(severity=Severity.SEVERE), ACTED, assessed("severe"))

    assert told(tick(log.after(days=9))) == []


def test_a_threat_to_life_is_severe_until_somebody_says_otherwise() -> None:
    log = spoken().write(CASE_STREAM, opened(threat_to_life=True))

    assert told(tick(log.after(hours=25))) == [UNANSWERED]


def test_the_rules_in_force_when_the_case_became_severe_say_how_soon() -> None:
    log = ruled(a_severe_case(), "[response.answer_within_hours]\nsevere = 1\n")
    assert told(tick(log.after(hours=23))) == []

    other = ruled(spoken(), "[response.answer_within_hours]\nsevere = 1\n")
    assert told(tick(other.write(CASE_STREAM, opened(), assessed("severe")).after(hours=1))) == [UNANSWERED]


def test_rules_that_say_nothing_of_answers_want_none() -> None:
    log = spoken('name = "silent"\n').write(CASE_STREAM, opened(), assessed("extreme"))

    assert told(tick(log.after(days=9))) == []


def test_before_any_rules_nothing_is_wanted() -> None:
    log = Written().write(CASE_STREAM, opened(), assessed("extreme"))

    assert told(tick(ruled(log, RULES).after(days=9))) == []


@pytest.mark.parametrize("rules", ["severe = ", '[response.answer_within_hours]\nsevere = "soon"\n'])
def test_rules_that_cannot_be_read_stop_the_worker(rules: str) -> None:
    with pytest.raises(Unfoldable, match=r"reference\.rules_adopted"):
        Part(PROJECTION.fold).take(ruled(Written(), rules).events)


def test_when_the_danger_is_over_no_answer_is_wanted_and_when_it_returns_a_new_one_is() -> None:
    log = a_severe_case().write(CASE_STREAM, DECIDED, RESOLVED)
    assert told(tick(log.after(days=2))) == []

    log.write(CASE_STREAM, REOPENED)
    assert told(tick(log.after(hours=24))) == [UNANSWERED]


def test_a_referral_done_for_the_danger_before_does_not_answer_the_one_that_returned() -> None:
    log = a_severe_case().write(CASE_STREAM, referred_far(), completed()).after(hours=1)
    log.write(CASE_STREAM, RESOLVED, REOPENED)

    assert told(tick(log.after(hours=25))) == [UNANSWERED]


def test_a_closed_case_wants_none() -> None:
    assert told(tick(a_severe_case().write(CASE_STREAM, CaseClosed(reason=REASON)).after(days=9))) == []


def test_a_case_merged_away_wants_none_until_it_stands_by_itself_again() -> None:
    log = a_severe_case().write(CASE_STREAM, CaseMerged(into=OTHER_CASE))
    assert told(tick(log.after(hours=30))) == []

    log.write(CASE_STREAM, CaseMergeReversed(into=OTHER_CASE))
    assert told(log) == [UNANSWERED]


def test_a_gap_told_before_a_merging_is_not_told_again_after_it_is_reversed() -> None:
    log = tick(a_severe_case().after(hours=25)).write(CASE_STREAM, CaseMerged(into=OTHER_CASE))

    assert told(tick(log.write(CASE_STREAM, CaseMergeReversed(into=OTHER_CASE)).after(days=2))) == [UNANSWERED]


def absorbing(log: Written, hours_ago: int = 20) -> Written:
    """What waited in vain since then is merged into the case."""
    since = log.now - timedelta(hours=hours_ago)
    return log.write(CASE_STREAM, CaseMerged(absorbed=OTHER_CASE, asked_since=since))


def test_what_waited_before_a_merging_does_not_wait_anew() -> None:
    log = absorbing(a_severe_case())
    (gap,) = overdue(tick(log.after(hours=4)))
    assert gap.due == wire_time(NOW + timedelta(hours=4))

    waited = asked_since(CASE_STREAM, [one for one in log.events if one.stream == CASE_STREAM])
    assert waited == wire_time(NOW - timedelta(hours=20))  # so it goes on, too, where this one is merged into a third


def test_what_was_overdue_before_a_merging_is_overdue_at_once() -> None:
    assert told(absorbing(a_severe_case(), hours_ago=30)) == [UNANSWERED]


def test_what_waited_in_another_case_is_asked_no_more_of_this_one_when_they_part() -> None:
    log = absorbing(a_severe_case()).write(CASE_STREAM, CaseMergeReversed(absorbed=OTHER_CASE))
    assert told(tick(log.after(hours=23))) == []
    assert told(tick(log.after(hours=1))) == [UNANSWERED]


def test_a_merging_that_names_no_absorbed_case_asks_nothing_of_its_own() -> None:
    nobody = CaseMerged(asked_since=NOW - timedelta(hours=30))
    assert told(tick(a_severe_case().write(CASE_STREAM, nobody).after(hours=23))) == []
    assert told(tick(a_severe_case().write(CASE_STREAM, nobody).after(hours=25))) == [UNANSWERED]


def test_an_answer_to_the_case_that_stands_for_both_answers_both() -> None:
    log = a_severe_case().write(CASE_STREAM, DECIDED)
    assert told(tick(absorbing(log).after(days=3))) == []

    log = absorbing(a_severe_case(), hours_ago=30).write(CASE_STREAM, DECIDED)
    assert told(tick(log.after(days=3))) == [UNANSWERED]
    assert asked_since(CASE_STREAM, [one for one in log.events if one.stream == CASE_STREAM]) is None


def test_what_is_overdue_is_not_told_again_when_what_waited_longer_is_merged_into_it() -> None:
    log = tick(a_severe_case().after(hours=25))
    assert told(tick(absorbing(log, hours_ago=90).after(days=2))) == [UNANSWERED]


# --- provisional cases ----------------------------------------------------------------------------------------------


def a_provisional_case() -> Written:
    """To be ratified within six hours."""
    return spoken('name = "silent"\n').write(CASE_STREAM, provisional())


def test_a_provisional_case_that_nobody_ratified_in_time_is_told() -> None:
    (gap,) = overdue(tick(a_provisional_case().after(hours=6)))

    assert (gap.data.awaited, gap.due) == ("ratification", wire_time(SOON))


@pytest.mark.parametrize("vote", [CaseRatified(quorum=QUORUM), CaseNotRatified(quorum=QUORUM, reason=REASON)])
def test_either_vote_answers(vote: Event) -> None:
    assert told(tick(a_provisional_case().write(CASE_STREAM, vote).after(days=9))) == []


def test_a_vote_that_comes_late_closes_the_gap() -> None:
    log = a_provisional_case().after(hours=7).write(CASE_STREAM, CaseRatified(quorum=QUORUM))

    assert told(tick(log.after(days=9))) == [("ratification", 1)]


def test_a_case_that_was_not_ratified_wants_no_answer() -> None:
    log = spoken().write(CASE_STREAM, provisional(), CaseNotRatified(quorum=QUORUM, reason=REASON))

    assert told(tick(log.after(days=9))) == []


def test_everything_that_falls_due_is_told_in_order_of_its_moment() -> None:
    log = spoken().write(CASE_STREAM, provisional(), referred(acknowledge_by=LATER, act_by=LATER))

    assert [one.data.awaited for one in overdue(tick(log.after(days=9)))] == [
        "ratification",
        "referral_or_decision",
        "acknowledgement",
        "action",
    ]
