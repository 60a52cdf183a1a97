"""What a board knows of each case, and which cases are on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson

from events.case.events import (
    CaseAssessed,
    CaseClassified,
    CaseClosed,
    CaseDecided,
    CaseMerged,
    CaseMergeReversed,
    CaseNotRatified,
    CaseRatified,
    CaseReferralAcknowledged,
    CaseReferralCompleted,
    CaseReferralOutcomeChecked,
    CaseReopened,
    CaseReportUnlinked,
    CaseResolved,
)
from events.command import clear
from events.report.events import ReportSuperseded, ReportWithdrawn
from events.sealed import KeyKind
from events.vocabulary import (
    CaseOutcome,
    Credibility,
    Decided,
    Kind,
    Mechanism,
    Mode,
    OutcomeFound,
    Quorum,
    ReasonReopened,
    Resolver,
    Severity,
    VerificationState,
    Withdrawal,
    wire_time,
)
from projections.case_board import PROJECTION
from tests.support.domain import (
    CASE,
    HOME,
    INES,
    LATER,
    NOW,
    OTHER_CASE,
    OTHER_HOME,
    PLACE,
    REPORT,
    SOON,
    graded,
    linked,
    one,
    opened,
    provisional,
    received,
    referred,
)
from tests.support.projected import folded
from tests.support.written import Written

CASE_STREAM, REPORT_STREAM = f"case/{CASE}", f"report/{REPORT}"
REASON = clear("as agreed", KeyKind.CASE, CASE)
QUORUM = Quorum(eligible=4, recused=0, required=2, in_favour=2)
RESOLVED = CaseResolved(outcome=CaseOutcome.SETTLED, mechanism=Mechanism.MEDIATION, by=Resolver.NETWORK)
REOPENED = CaseReopened(reason=ReasonReopened.DANGER_RETURNED)
COLUMNS = (
    "stream", "home", "unit", "kind", "stage", "on_the_board", "provisional", "next_deadline", "severity",
    "verification_state", "merged_into", "body",
)  # fmt: skip


def shown(log: Written) -> dict[str, Any]:
    """The last row of the case, its body read."""
    page, _ = folded(PROJECTION, log.events)
    row: dict[str, Any] = dict(zip(COLUMNS, page.rows["case"][-1], strict=True))
    return row | {"body": orjson.loads(row["body"])}


def case(*events: Any) -> Written:
    return Written().write(CASE_STREAM, *events)


def assessed(**fields: Any) -> CaseAssessed:
    usual = {"round": 1, "verification_state": VerificationState.PROBABLY_TRUE, "credibility": Credibility.TWO}
    return CaseAssessed(**{**usual, "severity": Severity.MODERATE, "quorum": QUORUM, **fields})


def test_an_opened_case_is_on_the_board_of_its_unit() -> None:
    row = shown(case(opened(severity=Severity.MINOR)))

    assert (row["home"], row["unit"], row["kind"], row["stage"]) == (HOME, PLACE.unit, "violence", "open")
    assert (row["on_the_board"], row["provisional"], row["severity"]) == (True, False, "minor")
    assert (row["verification_state"], row["next_deadline"], row["merged_into"]) == (None, None, None)
    assert row["body"]["opened_at"] == wire_time(NOW)


def test_a_provisional_case_shows_by_when_it_must_be_ratified_until_it_is() -> None:
    waiting = shown(case(provisional()))
    assert (waiting["provisional"], waiting["next_deadline"]) == (True, wire_time(SOON))

    ratified = shown(case(provisional(), CaseRatified(quorum=QUORUM)))
    assert (ratified["provisional"], ratified["next_deadline"], ratified["on_the_board"]) == (False, None, True)


def test_an_assessment_says_how_bad_and_how_sure() -> None:
    row = shown(case(opened(severity=Severity.MINOR), assessed(), assessed(round=2, severity=Severity.SEVERE)))

    assert (row["severity"], row["verification_state"]) == ("severe", "probably_true")
    assert (row["body"]["round"], row["body"]["credibility"]) == (2, "2")


def test_a_case_shows_its_kind_as_it_was_classified_last() -> None:
    classified = CaseClassified(kind=Kind.WEAPONS, actor_class_changed=False)

    assert shown(case(opened(), classified))["kind"] == "weapons"


def test_the_next_deadline_is_the_earliest_that_somebody_still_owes() -> None:
    log = case(opened(), referred(), referred("another", acknowledge_by=SOON + timedelta(hours=1)))
    assert shown(log)["next_deadline"] == wire_time(SOON)

    log.write(CASE_STREAM, CaseReferralAcknowledged(referral_id=one("referral")))
    assert shown(log)["next_deadline"] == wire_time(SOON + timedelta(hours=1))

    log.write(CASE_STREAM, CaseReferralAcknowledged(referral_id=one("another")))
    assert shown(log)["next_deadline"] == wire_time(LATER)


def test_a_deadline_that_passed_stays_the_next_until_it_is_answered() -> None:
    log = case(opened(), referred()).after(days=9).write(CASE_STREAM, linked())
    assert shown(log)["next_deadline"] == wire_time(SOON)

    done = CaseReferralCompleted(referral_id=one("referral"), successful=True)
    assert shown(log.write(CASE_STREAM, done))["next_deadline"] is None

    undone = CaseReferralOutcomeChecked(referral_id=one("referral"), outcome=OutcomeFound.CONTRADICTED, by=INES.ref)
    assert shown(log.write(CASE_STREAM, undone))["next_deadline"] == wire_time(LATER)


def test_the_last_decision_is_shown_with_its_moment() -> None:
    decisions = [CaseDecided(choice=choice, by=INES.ref, reason=REASON) for choice in (Decided.REFER, Decided.MONITOR)]
    log = case(opened(), decisions[0]).after(hours=2).write(CASE_STREAM, decisions[1])

    body = shown(log)["body"]
    assert (body["last_decision"], body["last_decision_at"]) == ("monitor", wire_time(NOW + timedelta(hours=2)))


def test_a_resolved_case_stays_on_the_board_since_its_work_goes_on() -> None:
    row = shown(case(opened(), RESOLVED))

    assert (row["stage"], row["on_the_board"], row["body"]["outcome"]) == ("resolved", True, "settled")


def test_a_closed_or_not_ratified_case_leaves_the_board_and_returns_when_reopened() -> None:
    for ending in (CaseClosed(reason=REASON), CaseNotRatified(quorum=QUORUM, reason=REASON)):
        log = case(provisional(), ending)
        assert shown(log)["on_the_board"] is False
        assert shown(log.write(CASE_STREAM, REOPENED))["on_the_board"] is True


def test_a_case_merged_away_leaves_the_board_and_says_where_it_went() -> None:
    log = case(opened(), CaseMerged(into=OTHER_CASE))
    assert (shown(log)["on_the_board"], shown(log)["merged_into"]) == (False, f"case/{OTHER_CASE}")

    log.write(CASE_STREAM, CaseMergeReversed(into=OTHER_CASE))
    assert (shown(log)["on_the_board"], shown(log)["merged_into"]) == (True, None)


def test_a_provisional_case_that_was_merged_need_not_be_ratified_until_it_stands_by_itself_again() -> None:
    log = case(provisional(), CaseMerged(into=OTHER_CASE))
    assert (shown(log)["provisional"], shown(log)["next_deadline"]) == (True, None)

    log.write(CASE_STREAM, CaseMergeReversed(into=OTHER_CASE))
    assert (shown(log)["provisional"], shown(log)["next_deadline"]) == (True, wire_time(SOON))


def test_referrals_of_a_case_that_was_merged_keep_their_deadlines_and_those_of_a_closed_one_do_not() -> None:
    assert shown(case(opened(), referred(), CaseMerged(into=OTHER_CASE)))["next_deadline"] == wire_time(SOON)
    log = case(opened(), referred(), CaseClosed(reason=REASON))  # which no door lets in
    assert shown(log)["next_deadline"] is None
    assert shown(log.write(CASE_STREAM, REOPENED))["next_deadline"] == wire_time(SOON)


def test_the_absorbing_case_stays_on_the_board() -> None:
    row = shown(case(opened(), CaseMerged(absorbed=OTHER_CASE)))

    assert (row["on_the_board"], row["merged_into"]) == (True, None)


def test_reports_are_linked_and_unlinked() -> None:
    log = case(opened(), linked(), linked(one("another")))
    assert sorted(shown(log)["body"]["linked"]) == sorted([str(REPORT), str(one("another"))])

    log.write(CASE_STREAM, CaseReportUnlinked(report_id=REPORT, reason=REASON))
    assert list(shown(log)["body"]["linked"]) == [str(one("another"))]


def test_only_reports_that_fell_have_a_row() -> None:
    again, fallen = one("again"), one("withdrawn")
    log = Written().write(REPORT_STREAM, received(), graded())
    log.write(REPORT_STREAM, ReportSuperseded(received_again_as=again, home=OTHER_HOME))
    log.write(f"report/{again}", received(report_id=again), home=OTHER_HOME)
    log.write(f"report/{fallen}", received(report_id=fallen), ReportWithdrawn(reason=Withdrawal.FALSE))

    page, _ = folded(PROJECTION, log.events)
    assert page.rows == {
        "fallen": [(str(REPORT), "superseded", wire_time(NOW)), (str(fallen), "withdrawn", wire_time(NOW))]
    }


def test_an_exercise_is_on_no_board() -> None:
    page, _ = folded(PROJECTION, Written().write(CASE_STREAM, opened(), mode=Mode.EXERCISE).events)

    assert page.rows == {}
