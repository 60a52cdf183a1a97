"""The queue as it is read: for whom, what is urgent first, then what waits longest, page by page."""

from __future__ import annotations

from typing import Any

from events.case.events import CaseAssessed, CaseClosed, CaseReferralCompleted
from events.command import clear
from events.report.events import ReportConcluded, ReportCorrected, ReportWithdrawn
from events.sealed import KeyKind
from events.vocabulary import Credibility, Flag, Quorum, Reliability, Severity, VerificationState, Withdrawal
from projections.review_queue import PROJECTION
from projections.review_queue.table import SQL
from tests.integration.projections.standing import Stand, Standing
from tests.support.domain import (
    CASE,
    INES,
    JEAN,
    KEZA,
    OTHER_PLACE,
    PLACE,
    REPORT,
    graded,
    linked,
    one,
    opened,
    received,
    referred,
)
from tests.support.written import Written

QUORUM = Quorum(eligible=4, recused=0, required=2, in_favour=2)
CONCLUDED = ReportConcluded(round=1, reliability=Reliability.F, credibility=Credibility.TWO, quorum=QUORUM)
ASSESSED = CaseAssessed(
    round=1,
    verification_state=VerificationState.PROBABLY_TRUE,
    credibility=Credibility.TWO,
    severity=Severity.MODERATE,
    quorum=QUORUM,
)
CLOSED = CaseClosed(reason=clear("over", KeyKind.CASE, CASE))


def report(name: str) -> str:
    return f"report/{one(name)}"


def asked(
    *after: Any, whom: str = "reviewer", what: Any = None, units: Any = None, agree: int = 2, most: int = 50
) -> tuple[Any, ...]:
    return (whom, what, units, agree, *(after or (None,) * 5), most)


async def waiting(standing: Standing, **of: Any) -> list[tuple[str, str]]:
    return [(row["what"], row["stream"]) for row in await standing.ask("waiting", *asked(**of))]


async def test_what_is_urgent_comes_first_and_then_what_waits_longest(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written().write(report("old"), received(urgency="past")).after(hours=1)
    log.write(report("new"), received(urgency="past")).after(hours=1).write(report("urgent"), received())
    await standing.keep(log)

    assert await waiting(standing) == [("grading", report(name)) for name in ("urgent", "old", "new")]


async def test_a_report_waits_for_grades_or_for_its_conclusion_by_how_many_must_agree(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written().write(report("new"), received()).write(report("one"), received(), graded(INES))
    log.write(report("split"), received(), graded(INES), graded(JEAN, Credibility.FOUR))
    await standing.keep(log.write(report("agreed"), received(), graded(INES), graded(JEAN)))

    assert set(await waiting(standing)) == {
        ("grading", report("new")),
        ("grading", report("one")),
        ("grading", report("split")),
        ("conclusion", report("agreed")),
    }
    assert len(await waiting(standing, agree=1, what=["conclusion"])) == 3
    (row,) = await standing.ask("waiting", *asked(what=["conclusion"]))
    assert (row["grades"], row["agreeing"]) == (2, 2)
    assert row["graded_by"] == sorted([INES.ref, JEAN.ref], key=str)


async def test_what_was_answered_leaves_the_queue(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written().write(report("one"), received(flags=(Flag.UNPLACED,)), graded())
    await standing.keep(log)
    assert len(await waiting(standing)) == 1
    assert await waiting(standing, whom="coordinator") == [("placing", report("one"))]

    await standing.keep(log.write(report("one"), CONCLUDED))
    assert await waiting(standing) == []

    await standing.keep(log.write(report("one"), ReportWithdrawn(reason=Withdrawal.UNSAFE)))
    assert await waiting(standing, whom="coordinator") == []


async def test_each_completed_referral_waits_by_itself(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written().write(f"case/{CASE}", opened(), ASSESSED)
    for name in ("first", "second"):
        done = CaseReferralCompleted(referral_id=one(name), successful=True)
        log.write(f"case/{CASE}", referred(name), done)
    await standing.keep(log)

    rows = await standing.ask("waiting", *asked(whom="coordinator"))
    assert {row["subject"] for row in rows} == {str(one("first")), str(one("second"))}


async def test_the_queue_is_asked_by_unit_and_counted(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written().write(report("here"), received()).write(report("there"), received(place=OTHER_PLACE), graded())
    await standing.keep(log)

    assert await waiting(standing, units=[OTHER_PLACE.unit]) == [("grading", report("there"))]
    (row,) = await standing.ask("counts", None, 2, None)
    assert (row["whom"], row["what"], row["things"]) == ("reviewer", "grading", 2)
    (row, _) = await standing.ask("counts", None, 1, None)
    assert (row["what"], row["things"]) == ("conclusion", 1)


async def test_a_report_that_changed_after_its_case_was_assessed_is_seen(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written().write(f"report/{REPORT}", received(), graded(), CONCLUDED)
    log.write(f"case/{CASE}", opened(), linked(), ASSESSED)
    await standing.keep(log)
    assert await standing.ask("evidence_changed", None, 10, None) == []

    await standing.keep(log.write(f"report/{REPORT}", ReportCorrected(urgency="past")))
    (row,) = await standing.ask("evidence_changed", [PLACE.unit], 10, None)
    assert (row["stream"], row["reports"], row["changed_at"]) == (f"case/{CASE}", [f"report/{REPORT}"], 7)

    await standing.keep(log.write(f"report/{REPORT}", ReportWithdrawn(reason=Withdrawal.FALSE)))
    assert len(await standing.ask("evidence_changed", None, 10, None)) == 1
    assert await standing.ask("evidence_changed", [OTHER_PLACE.unit], 10, None) == []

    await standing.keep(log.write(f"case/{CASE}", linked(one("newer"))))
    assert await standing.ask("evidence_changed", None, 10, None) == [], "its own stream says already that it waits"

    await standing.keep(log.write(f"case/{CASE}", ASSESSED))
    assert await standing.ask("evidence_changed", None, 10, None) == []


async def test_pages_follow_each_other_without_a_gap_or_a_repeat(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written()
    for number in range(30):
        urgency = "immediate" if number % 3 == 0 else "past"
        log.after(hours=number % 2).write(report(f"report {number}"), received(urgency=urgency), graded(KEZA))
    await standing.keep(log)

    paged = await standing.pages(
        lambda *after: asked(*after, most=7),
        "waiting",
        lambda row: (row["later"], row["since"], row["stream"], row["what"], row["subject"]),
    )
    assert [(row["what"], row["stream"]) for row in paged] == await waiting(standing)
    assert len(paged) == 30


async def test_the_queue_reads_its_indexes(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written()
    for number in range(2_000):
        log.write(report(f"report {number}"), received())
        ended = [] if number % 50 == 0 else [CLOSED]
        log.write(f"case/{one(f'case {number}')}", opened(), linked(one(f"report {number}")), ASSESSED, *ended)
    await standing.keep(log)

    assert "review_queue_in_order" in await standing.plan("waiting", *asked(most=20))
    plan = await standing.plan("evidence_changed", None, 20, None)
    assert "review_queue_case_assessed" in plan
    assert "review_queue_report_pkey" in plan
