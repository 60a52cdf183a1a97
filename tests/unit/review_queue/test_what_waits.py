"""What waits for whom, since when, and what ends the waiting."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from events.case.events import (
    CaseAssessed,
    CaseClosed,
    CaseMerged,
    CaseMergeReversed,
    CaseNotRatified,
    CaseRatified,
    CaseReferralCompleted,
    CaseReferralOutcomeChecked,
    CaseReportUnlinked,
    CaseResolved,
)
from events.command import clear
from events.report.events import (
    Carried,
    Graded,
    ReportConcluded,
    ReportCorrected,
    ReportRecused,
    ReportSuperseded,
    ReportWithdrawn,
)
from events.sealed import KeyKind
from events.vocabulary import (
    CaseOutcome,
    Credibility,
    Dated,
    Flag,
    Mechanism,
    Mode,
    OutcomeFound,
    Quorum,
    Recusal,
    Reliability,
    Resolver,
    Severity,
    VerificationState,
    Withdrawal,
    wire_time,
)
from projections.part import Part
from projections.review_queue import PROJECTION
from tests.support.domain import (
    CASE,
    COLETTE,
    INES,
    JEAN,
    KEZA,
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
CONCLUDED = ReportConcluded(round=1, reliability=Reliability.F, credibility=Credibility.TWO, quorum=QUORUM)
WITHDRAWN = ReportWithdrawn(reason=Withdrawal.FALSE)
SUPERSEDED = ReportSuperseded(received_again_as=one("again"), home=OTHER_HOME)
COLUMNS = (
    "stream", "what", "since", "home", "unit", "kind", "urgent", "subject", "due", "round", "grades", "agreeing",
    "graded_by", "recused", "whom",
)  # fmt: skip


def queue(log: Written) -> dict[str, dict[str, Any]]:
    """What waits at the end, by what waits: rows as they were written, one event a batch, less what was answered."""
    part: Part[Any, Any] = Part(PROJECTION.fold)
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event in log.events:
        part.hold(part.wants([event]), {})
        page, _ = part.take([event])
        for stream, what, subject in page.rows.get("answered", ()):
            del rows[stream, what, subject]
        for values in page.rows.get("waiting", ()):
            row = dict(zip(COLUMNS, values, strict=True))
            rows[row["stream"], row["what"], row["subject"]] = row
    assert len({(what, subject) for _, what, subject in rows}) == len(rows), "two streams wait for the same"
    return {what: row for (_, what, _), row in rows.items()}


def report(*events: Any) -> Written:
    return Written().write(REPORT_STREAM, *events)


def case(*events: Any) -> Written:
    return Written().write(CASE_STREAM, *events)


def assessed(round_number: int = 1) -> CaseAssessed:
    return CaseAssessed(
        round=round_number,
        verification_state=VerificationState.PROBABLY_TRUE,
        credibility=Credibility.TWO,
        severity=Severity.MODERATE,
        quorum=QUORUM,
    )


# --- reports --------------------------------------------------------------------------------------------------------


def test_a_received_report_waits_for_grades_since_it_was_recorded() -> None:
    waits = queue(report(received()))

    assert set(waits) == {"grading"}
    row = waits["grading"]
    assert (row["whom"], row["since"], row["unit"], row["urgent"]) == ("reviewer", wire_time(NOW), PLACE.unit, True)
    assert (row["round"], row["grades"], row["agreeing"], row["graded_by"]) == (1, 0, 0, "{}")


def test_a_report_with_grades_waits_for_its_conclusion_with_how_many_agree() -> None:
    log = report(received(), graded(INES)).after(hours=1).write(REPORT_STREAM, graded(JEAN, Credibility.FOUR))
    log.after(hours=1).write(REPORT_STREAM, graded(KEZA))

    row = queue(log)["conclusion"]
    assert (row["grades"], row["agreeing"]) == (3, 2)
    assert row["since"] == wire_time(NOW + timedelta(hours=2))
    assert row["graded_by"] == "{" + ",".join(sorted(str(who.ref) for who in (INES, JEAN, KEZA))) + "}"


def test_who_stood_aside_is_shown() -> None:
    recused = ReportRecused(by=JEAN.ref, round=1, reason=Recusal.CONCERNED)

    assert queue(report(received(), recused))["grading"]["recused"] == f"{{{JEAN.ref}}}"


def test_a_concluded_report_waits_for_nothing_until_somebody_grades_it_again() -> None:
    log = report(received(), graded(), CONCLUDED)
    assert queue(log) == {}

    log.after(hours=5).write(REPORT_STREAM, graded(JEAN, round_number=2))
    waits = queue(log)
    assert set(waits) == {"grading", "conclusion"}
    assert (waits["grading"]["round"], waits["grading"]["grades"]) == (2, 1)
    assert waits["grading"]["since"] == wire_time(NOW + timedelta(hours=5))


def test_whoever_stood_aside_in_a_round_does_so_in_that_round_alone() -> None:
    recused = ReportRecused(by=JEAN.ref, round=1, reason=Recusal.CONCERNED)
    log = report(received(), recused, graded(), CONCLUDED, graded(KEZA, round_number=2))

    assert queue(log)["grading"]["recused"] == "{}"


def test_a_withdrawn_or_superseded_report_waits_no_more() -> None:
    for falls in (WITHDRAWN, SUPERSEDED):
        flags = (Flag.UNPLACED, Flag.CLOCK_DOUBTFUL)
        assert queue(report(received(flags=flags), graded(), falls)) == {}, falls


def test_of_a_report_that_fell_is_kept_when_it_fell_and_not_who_graded_it() -> None:
    for falls in (WITHDRAWN, SUPERSEDED):
        page, _ = folded(PROJECTION, report(received(), graded(by=JEAN), falls).events)
        before, after = (page.rows["report"][number] for number in (-2, -1))
        assert str(JEAN.ref) in before[3]
        assert str(JEAN.ref) not in after[3]
        assert after[1:3] == (False, 3)


def test_an_unplaced_report_waits_for_a_place_and_a_doubtful_one_for_dates() -> None:
    waits = queue(report(received(flags=(Flag.UNPLACED, Flag.CLOCK_DOUBTFUL))))

    assert set(waits) == {"grading", "placing", "dating"}
    assert {waits[what]["whom"] for what in ("placing", "dating")} == {"coordinator"}


def test_corrected_dates_end_the_doubt_about_them() -> None:
    tomorrow = Dated(starts=date(2026, 5, 21))
    doubtful = received(flags=(Flag.CLOCK_DOUBTFUL,), occurred=tomorrow)

    assert "dating" in queue(report(doubtful, ReportCorrected(urgency="past")))
    assert "dating" not in queue(report(doubtful, ReportCorrected(occurred=Dated(starts=date(2026, 5, 19)))))
    assert "dating" not in queue(report(doubtful, ReportCorrected(no_longer_stated=("occurred",))))


def test_correcting_one_date_says_nothing_about_the_other() -> None:
    turned = Dated(starts=date(2026, 5, 25), ends=date(2026, 5, 21))
    doubtful = received(flags=(Flag.CLOCK_DOUBTFUL,), expected=turned, occurred=Dated(starts=date(2026, 5, 21)))
    right = ReportCorrected(occurred=Dated(starts=date(2026, 5, 19)))

    assert "dating" in queue(report(doubtful, right))
    assert "dating" not in queue(report(doubtful, right, ReportCorrected(no_longer_stated=("expected",))))


def test_a_correction_changes_what_is_shown_of_the_place_and_the_urgency() -> None:
    elsewhere = PLACE.model_copy(update={"unit": "zone:gahombo"})

    row = queue(report(received(), ReportCorrected(place=elsewhere, urgency="past")))["grading"]
    assert (row["unit"], row["urgent"]) == ("zone:gahombo", False)


def test_a_report_received_again_brings_its_grades_along() -> None:
    grade = Graded(by=INES.ref, round=1, reliability=Reliability.F, credibility=Credibility.TWO)
    usual: dict[str, Any] = {"supersedes": one("before"), "first_received_as": one("before")}
    usual |= {"reliability": Reliability.F, "credibility": Credibility.SIX}

    ungraded = queue(report(received(carried=Carried(**usual, round=1))))
    assert ungraded["grading"]["grades"] == 0
    half = queue(report(received(carried=Carried(**usual, round=1, grades=(grade,), recused=(JEAN.ref,)))))
    assert (half["grading"]["grades"], half["grading"]["recused"]) == (1, f"{{{JEAN.ref}}}")
    assert queue(report(received(carried=Carried(**usual, round=2, grades=(grade,))))) == {}


# --- cases ----------------------------------------------------------------------------------------------------------


def test_a_case_waits_for_its_first_assessment_since_it_was_opened() -> None:
    waits = queue(case(opened(), linked()))

    assert set(waits) == {"assessment"}
    assert (waits["assessment"]["since"], waits["assessment"]["round"]) == (wire_time(NOW), 1)


def test_an_assessed_case_waits_for_nothing() -> None:
    assert queue(case(opened(), linked(), assessed())) == {}


def test_evidence_newer_than_the_assessment_waits_for_another_round() -> None:
    log = case(opened(), linked(), assessed()).after(hours=2).write(CASE_STREAM, linked(one("newer")))
    log.after(hours=2).write(CASE_STREAM, linked(one("newest")))

    row = queue(log)["assessment"]
    assert (row["since"], row["round"]) == (wire_time(NOW + timedelta(hours=2)), 2)
    assert queue(log.write(CASE_STREAM, assessed(2))) == {}


def test_newer_evidence_that_was_unlinked_waits_no_more() -> None:
    log = case(opened(), assessed(), linked(), CaseReportUnlinked(report_id=REPORT, reason=REASON))

    assert queue(log) == {}


def test_evidence_that_the_assessment_rested_on_and_that_was_unlinked_waits_for_another_round() -> None:
    log = case(opened(), linked(), assessed()).after(hours=3)
    log.write(CASE_STREAM, CaseReportUnlinked(report_id=REPORT, reason=REASON))

    assert queue(log)["assessment"]["since"] == wire_time(NOW + timedelta(hours=3))


def test_a_resolved_case_still_waits_for_its_assessment_and_a_closed_one_not() -> None:
    resolved = CaseResolved(outcome=CaseOutcome.SETTLED, mechanism=Mechanism.MEDIATION, by=Resolver.NETWORK)

    assert set(queue(case(opened(), resolved))) == {"assessment"}
    assert queue(case(opened(), CaseClosed(reason=REASON))) == {}


def test_a_provisional_case_waits_for_ratification_until_the_committee_votes() -> None:
    row = queue(case(provisional()))["ratification"]
    assert (row["whom"], row["due"], row["urgent"]) == ("reviewer", wire_time(SOON), True)

    for vote in (CaseRatified(quorum=QUORUM), CaseNotRatified(quorum=QUORUM, reason=REASON)):
        assert "ratification" not in queue(case(provisional(), vote)), vote


def test_a_case_merged_away_waits_for_nothing_until_the_merging_is_reversed() -> None:
    log = case(provisional(), CaseMerged(into=OTHER_CASE))
    assert queue(log) == {}

    assert set(queue(log.write(CASE_STREAM, CaseMergeReversed(into=OTHER_CASE)))) == {"ratification", "assessment"}


def test_a_completed_referral_waits_until_somebody_looked_at_its_outcome() -> None:
    log = case(opened(), assessed(), referred()).after(hours=2)
    log.write(CASE_STREAM, CaseReferralCompleted(referral_id=one("referral"), successful=True), by=COLETTE)

    row = queue(log)["outcome_check"]
    assert (row["whom"], row["subject"], row["since"]) == (
        "coordinator",
        str(one("referral")),
        wire_time(NOW + timedelta(hours=2)),
    )
    for outcome in OutcomeFound:
        found = CaseReferralOutcomeChecked(referral_id=one("referral"), outcome=outcome, by=INES.ref)
        checked = Written()
        checked.events = [*log.events]
        assert queue(checked.write(CASE_STREAM, found)) == {}, outcome


def test_an_outcome_still_waits_to_be_looked_at_when_its_case_is_closed() -> None:
    done = CaseReferralCompleted(referral_id=one("referral"), successful=False, reason_not="other")

    assert set(queue(case(opened(), referred(), done, CaseClosed(reason=REASON)))) == {"outcome_check"}


def test_an_exercise_waits_for_nobody() -> None:
    assert queue(Written().write(REPORT_STREAM, received(), mode=Mode.EXERCISE)) == {}
