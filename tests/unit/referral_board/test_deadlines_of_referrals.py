"""When a recipient does not answer in time: each gap is told once, and closes when the answer comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from events.case.events import (
    CaseActionRecorded,
    CaseClosed,
    CaseMerged,
    CaseReferralDeclined,
    CaseReferralDeliveryFailed,
    CaseReferralRevoked,
    CaseReopened,
)
from events.command import clear
from events.reference import EngineAdopted
from events.sealed import KeyKind
from events.vocabulary import (
    ActionKind,
    Means,
    Mode,
    ReasonDeclined,
    ReasonReopened,
    ReasonRevoked,
    Resolver,
    wire_time,
)
from projections.part import Part
from projections.referral_board import PROJECTION
from projections.taken import Taken, take
from tests.support.crisis import crisis
from tests.support.domain import CASE, HOME, LATER, NOW, OTHER_CASE, PLACE, SOON, opened, referred
from tests.support.projected import folded
from tests.support.written import Written
from tests.unit.referral_board.told import (
    CASE_STREAM,
    REFERRAL,
    accepted,
    acknowledged,
    completed,
    found,
    moved,
    overdue,
    spoken,
    tick,
    told,
)

REVOKED = CaseReferralRevoked(referral_id=REFERRAL, reason=ReasonRevoked.HARM_FEARED)
DECLINED = CaseReferralDeclined(referral_id=REFERRAL, reason=ReasonDeclined.UNSAFE)
CLOSED = CaseClosed(reason=clear("over", KeyKind.CASE, CASE))
REOPENED = CaseReopened(reason=ReasonReopened.DANGER_RETURNED)
ACTED = CaseActionRecorded(what=ActionKind.VISIT, by=Resolver.RECIPIENT, referral_id=REFERRAL)


def a_referral() -> Written:
    """Acknowledgement is due in six hours, the act in three days."""
    return spoken().write(CASE_STREAM, opened(), referred())


def gaps(log: Written) -> list[tuple[object, ...]]:
    """(awaited, step, due, answered by) of each row of a gap as it was last written."""
    page, _ = folded(PROJECTION, log.events)
    rows = {(row[1], row[2], row[3]): row for row in page.rows.get("gap", [])}
    return [(what, step, row[6], row[8]) for (what, _, step), row in rows.items()]


def waiting(part: Part[Any, Any], last: Taken) -> set[str]:
    """The cases for which anything is due: an engine that is adopted after this event calls each of them."""
    adopted = EngineAdopted(projection="referral_board", number=1)
    return part.wants([replace(last, home="*", type=EngineAdopted.name, data=adopted.wire_data())])


def test_nothing_is_told_before_a_deadline_passes() -> None:
    assert told(tick(a_referral().after(hours=5.99))) == []


def test_a_referral_nobody_acknowledged_in_time_is_told_at_the_next_tick() -> None:
    (gap,) = overdue(tick(a_referral().after(hours=7)))

    assert (gap.stream, gap.home, gap.engine) == (f"level/{PLACE.unit}", HOME, 1)
    assert gap.due == wire_time(SOON)
    assert (gap.data.awaited, gap.data.case_id, gap.data.referral_id) == ("acknowledgement", CASE, REFERRAL)
    assert (gap.data.unit, gap.data.due, gap.data.step) == (PLACE.unit, SOON, 1)


def test_a_deadline_passes_at_the_moment_written_in_it() -> None:
    assert told(tick(a_referral().after(hours=6))) == [("acknowledgement", 1)]


def test_an_answer_at_the_moment_of_the_deadline_is_late() -> None:
    assert told(a_referral().after(hours=6).write(CASE_STREAM, acknowledged())) == [("acknowledgement", 1)]


def test_the_next_event_of_the_case_tells_it_as_well_as_a_tick() -> None:
    late = a_referral().after(hours=7).write(CASE_STREAM, acknowledged())

    assert told(late) == [("acknowledgement", 1)]
    assert gaps(late) == [("acknowledgement", 1, wire_time(SOON), "case.referral_acknowledged")]


def test_a_gap_is_told_once_however_often_the_clock_ticks() -> None:
    log = a_referral()
    for _ in range(100):
        tick(log.after(hours=1))

    assert told(log) == [("acknowledgement", 1), ("action", 1)]


def test_one_tick_after_a_long_silence_tells_everything_in_order_of_its_moment() -> None:
    assert [one.due for one in overdue(tick(a_referral().after(days=30)))] == [wire_time(SOON), wire_time(LATER)]


def test_an_acknowledged_referral_owes_only_the_act() -> None:
    log = a_referral().write(CASE_STREAM, acknowledged())

    assert told(tick(log.after(days=4))) == [("action", 1)]


def test_an_accepted_referral_still_owes_the_act() -> None:
    assert told(tick(a_referral().write(CASE_STREAM, accepted()).after(days=4))) == [("action", 1)]


def test_a_referral_that_is_done_declined_or_taken_back_owes_nothing() -> None:
    for end in (completed(), completed(successful=False, reason_not="other"), DECLINED, REVOKED):
        assert told(tick(a_referral().write(CASE_STREAM, end).after(days=4))) == [], end


def test_an_act_recorded_under_a_referral_is_the_act_it_owes() -> None:
    log = a_referral().write(CASE_STREAM, acknowledged(), ACTED)

    assert told(tick(log.after(days=4))) == []


def test_an_act_whose_outcome_was_contradicted_is_owed_again() -> None:
    log = a_referral().write(CASE_STREAM, acknowledged(), ACTED, completed(), found("contradicted"))

    assert told(tick(log.after(days=4))) == [("action", 1)]


def test_a_failed_delivery_stops_no_deadline() -> None:
    failed = CaseReferralDeliveryFailed(referral_id=REFERRAL, means=Means.PHONE)

    assert told(tick(a_referral().write(CASE_STREAM, failed).after(hours=7))) == [("acknowledgement", 1)]


def test_a_moved_deadline_is_a_new_due() -> None:
    later = moved(SOON + timedelta(hours=6), LATER)
    log = a_referral().write(CASE_STREAM, later)

    assert told(tick(log.after(hours=7))) == []
    assert [one.due for one in overdue(tick(log.after(hours=6)))] == [wire_time(SOON + timedelta(hours=6))]


def test_a_deadline_moved_after_it_passed_closes_the_gap_and_may_open_another() -> None:
    log = tick(a_referral().after(hours=7)).write(CASE_STREAM, moved(SOON + timedelta(hours=6), LATER))
    tick(log.after(hours=6))

    assert told(log) == [("acknowledgement", 1), ("acknowledgement", 2)]
    assert gaps(log) == [
        ("acknowledgement", 1, wire_time(SOON), "case.referral_deadline_moved"),
        ("acknowledgement", 2, wire_time(SOON + timedelta(hours=6)), None),
    ]


def test_a_deadline_moved_to_where_it_was_tells_nothing_anew() -> None:
    log = tick(a_referral().after(hours=7)).write(CASE_STREAM, moved(SOON, LATER + timedelta(days=1)))

    assert told(tick(log)) == [("acknowledgement", 1)]


def test_a_contradicted_outcome_owes_the_act_again_but_no_second_acknowledgement() -> None:
    log = a_referral().write(CASE_STREAM, acknowledged()).after(days=1).write(CASE_STREAM, completed())
    log.after(days=3).write(CASE_STREAM, found("contradicted"))

    assert told(log) == [("action", 1)]
    assert overdue(log)[0].due == wire_time(LATER)


def test_an_act_told_overdue_is_told_again_when_what_came_was_untrue() -> None:
    log = tick(a_referral().write(CASE_STREAM, accepted()).after(days=4))
    log.write(CASE_STREAM, completed(), found("contradicted"))

    assert told(tick(log)) == [("action", 1), ("action", 2)]
    assert [one.seed for one in overdue(log)] == [f"overdue/{CASE}/{REFERRAL}/action/{step}" for step in (1, 2)]
    assert gaps(log) == [
        ("action", 1, wire_time(LATER), "case.referral_completed"),
        ("action", 2, wire_time(LATER), None),
    ]


def test_an_outcome_contradicted_before_the_act_was_due_leaves_the_deadline_as_it_was() -> None:
    log = a_referral().write(CASE_STREAM, accepted(), completed(), found("contradicted"))

    assert told(tick(log)) == []
    assert told(tick(log.after(days=4))) == [("action", 1)]


def test_a_confirmed_outcome_owes_nothing() -> None:
    log = a_referral().write(CASE_STREAM, completed(), found("confirmed"))

    assert told(tick(log.after(days=9))) == []


def test_a_referral_typed_in_late_is_overdue_at_once_where_its_deadline_has_passed() -> None:
    ago = NOW - timedelta(hours=1)
    log = spoken().write(CASE_STREAM, opened(), referred(acknowledge_by=ago, done_at=NOW - timedelta(hours=3)))

    assert [one.due for one in overdue(log)] == [wire_time(ago)]


def test_referrals_of_a_case_merged_away_are_due_under_its_own_stream() -> None:
    log = a_referral().write(CASE_STREAM, CaseMerged(into=OTHER_CASE))
    log.write(f"case/{OTHER_CASE}", opened(case_id=OTHER_CASE), CaseMerged(absorbed=CASE))

    (gap,) = overdue(tick(log.after(hours=7)))
    assert gap.data.case_id == CASE


def test_an_exercise_tells_nothing() -> None:
    log = spoken().write(CASE_STREAM, opened(), referred(), mode=Mode.EXERCISE)

    assert told(tick(log.after(days=4))) == []


def test_a_closed_case_waits_for_nothing_and_goes_on_where_it_was_when_it_is_reopened() -> None:
    """A referral is open in it, as no door lets it be: `contradicted` was the last word on it."""
    log = tick(a_referral().write(CASE_STREAM, completed(), found("contradicted")).after(days=4))
    assert told(log) == [("action", 1)]

    part: Part[Any, Any] = Part(PROJECTION.fold)
    for event in tick(log.write(CASE_STREAM, CLOSED).after(days=30)).events:
        part.hold(part.wants([event]), {})
        _, changed = part.take([event])
    part.let_go(changed)
    assert (part.next_due, waiting(part, event)) == (None, set())
    assert told(log) == [("action", 1)]
    assert gaps(log) == [("action", 1, wire_time(LATER), "case.closed")]

    log.write(CASE_STREAM, REOPENED)
    assert told(log) == [("action", 1), ("action", 2)]


def test_nothing_is_kept_in_memory_of_closed_cases() -> None:
    """In an even history in which every case ends closed, nothing is due but in those that are open."""
    closed: set[str] = set()
    part: Part[Any, Any] = Part(PROJECTION.fold)
    for written in crisis(6_000, living=40, per_day=1_000, reference=True):
        event = take(written.wire())
        part.hold(part.wants([event]), {})
        part.take([event])
        closed |= {event.stream} if event.type == "case.closed" else set()
    assert len(closed) > 200
    part.let_go(tuple(part.states))
    assert waiting(part, event) & closed == set() != waiting(part, event)


def test_a_step_of_a_referral_nobody_knows_changes_nothing() -> None:
    log = spoken().write(CASE_STREAM, opened(), completed(), found("contradicted"), moved())

    assert told(tick(log.after(days=9))) == []


def test_the_board_shows_each_referral_as_it_stands() -> None:
    failed = CaseReferralDeliveryFailed(referral_id=REFERRAL, means=Means.PHONE)
    for steps, state, is_open in (
        ((), "referred", True),
        ((failed,), "delivery_failed", True),
        ((failed, acknowledged()), "acknowledged", True),
        ((accepted(),), "accepted", True),
        ((DECLINED,), "declined", False),
        ((completed(),), "completed", False),
        ((completed(), found("contradicted")), "referred", True),
        ((REVOKED,), "revoked", False),
    ):
        page, _ = folded(PROJECTION, a_referral().write(CASE_STREAM, *steps).events)
        row = page.rows["referral"][-1]
        assert row[4:6] == (state, is_open), steps


def test_an_overdue_referral_is_overdue_since_its_earliest_gap_until_it_is_answered() -> None:
    log = tick(a_referral().after(days=4))
    overdue_since = 13

    page, _ = folded(PROJECTION, log.events)
    assert page.rows["referral"][-1][overdue_since] == wire_time(SOON)
    page, _ = folded(PROJECTION, log.write(CASE_STREAM, acknowledged()).events)
    assert page.rows["referral"][-1][overdue_since] == wire_time(LATER)
    page, _ = folded(PROJECTION, log.write(CASE_STREAM, completed()).events)
    assert page.rows["referral"][-1][overdue_since] is None
