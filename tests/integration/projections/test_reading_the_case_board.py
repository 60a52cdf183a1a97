"""The board as it is read: which cases, in which order, page by page, with what stands below each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from events.case.events import CaseClosed, CaseMerged, CaseReferralCompleted, CaseReferralDeclined
from events.command import clear
from events.report.events import ReportWithdrawn
from events.sealed import KeyKind
from events.vocabulary import Kind, ReasonDeclined, Severity, Withdrawal
from projections.case_board import PROJECTION
from projections.case_board.table import SQL
from tests.integration.projections.standing import Stand, Standing
from tests.support.domain import CASE, NOW, OTHER_CASE, OTHER_PLACE, PLACE, linked, one, opened, provisional, referred
from tests.support.written import Written

CLOSED = CaseClosed(reason=clear("over", KeyKind.CASE, CASE))


def stream(name: str) -> str:
    return f"case/{one(name)}"


def asked(
    *after: Any, units: Any = None, kinds: Any = None, stages: Any = None, severities: Any = None, most: int = 50
) -> tuple[Any, ...]:
    return (units, kinds, stages, severities, *(after or (None, None, None)), most)


async def board(standing: Standing, **of: Any) -> list[str]:
    return [row["stream"] for row in await standing.ask("board", *asked(**of))]


async def test_provisional_cases_come_first_and_then_the_next_deadline(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written().write(stream("idle"), opened()).write(stream("later"), opened(), referred("one"))
    log.write(stream("sooner"), opened(), referred("two", acknowledge_by=NOW + timedelta(hours=1)))
    log.write(stream("provisional"), provisional(ratify_by=NOW + timedelta(days=2)))
    await standing.keep(log)

    assert await board(standing) == [stream(name) for name in ("provisional", "sooner", "later", "idle")]


async def test_a_board_is_asked_by_unit_kind_stage_and_severity(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written().write(stream("here"), opened(severity=Severity.SEVERE))
    log.write(stream("there"), opened(place=OTHER_PLACE, kind=Kind.TENSION))
    await standing.keep(log)

    assert await board(standing, units=[PLACE.unit]) == [stream("here")]
    assert await board(standing, kinds=["tension"]) == [stream("there")]
    assert await board(standing, stages=["resolved"]) == []
    assert await board(standing, severities=["severe", "extreme"]) == [stream("here")]
    counts = [tuple(row) for row in await standing.ask("counts", None, None)]
    assert counts == [
        (PLACE.unit, "violence", "open", "severe", 1, 0),
        (OTHER_PLACE.unit, "tension", "open", None, 1, 0),
    ]


async def test_closed_and_merged_cases_are_off_the_board_and_found(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written().write(stream("closed"), opened(), CLOSED).write(stream("merged"), opened(), CaseMerged(into=CASE))
    await standing.keep(log.write(f"case/{CASE}", opened(), CaseMerged(absorbed=one("merged"))))

    assert await board(standing) == [f"case/{CASE}"]
    off = await standing.ask("off_the_board", None, None, None, 10)
    assert {row["stream"] for row in off} == {stream("closed"), stream("merged")}
    rest = await standing.ask("off_the_board", [PLACE.unit], off[0]["unit"], off[0]["stream"], 10)
    assert [row["stream"] for row in rest] == [off[1]["stream"]]
    (found,) = await standing.ask("found", stream("merged"))
    assert (found["stage"], found["merged_into"]) == ("open", f"case/{CASE}")


async def test_reports_that_fell_stand_under_no_case_and_absorbed_cases_bring_theirs_once(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    shared, fallen = one("shared"), one("fallen")
    log = Written().write(f"case/{CASE}", opened(), linked(shared), linked(fallen))
    log.write(f"case/{OTHER_CASE}", opened(case_id=OTHER_CASE), linked(shared), linked(one("its own")))
    log.write(f"case/{OTHER_CASE}", CaseMerged(into=CASE)).write(f"case/{CASE}", CaseMerged(absorbed=OTHER_CASE))
    await standing.keep(log.write(f"report/{fallen}", ReportWithdrawn(reason=Withdrawal.FALSE)))

    (row,) = await standing.ask("board", *asked())
    assert (row["reports_linked"], row["reports_standing"]) == (3, 2)


async def test_open_referrals_are_counted_also_those_of_absorbed_cases(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    done = CaseReferralCompleted(referral_id=one("done"), successful=True)
    declined = CaseReferralDeclined(referral_id=one("declined"), reason=ReasonDeclined.UNSAFE)
    log = Written().write(f"case/{CASE}", opened(), referred("open"), referred("done"), done)
    log.write(f"case/{OTHER_CASE}", opened(case_id=OTHER_CASE), referred("declined"), declined, referred("its own"))
    log.write(f"case/{OTHER_CASE}", CaseMerged(into=CASE)).write(f"case/{CASE}", CaseMerged(absorbed=OTHER_CASE))
    await standing.keep(log)

    (row,) = await standing.ask("board", *asked())
    assert row["referrals_open"] == 2


async def test_a_case_without_reports_or_referrals_has_none(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    await standing.keep(Written().write(f"case/{CASE}", opened()))

    (row,) = await standing.ask("board", *asked())
    assert (row["reports_linked"], row["reports_standing"], row["referrals_open"]) == (0, 0, 0)


async def test_pages_follow_each_other_without_a_gap_or_a_repeat(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written()
    for number in range(40):
        begin = provisional() if number % 3 == 0 else opened()
        log.write(stream(f"case {number}"), begin)
        if number % 4 == 0:
            log.write(stream(f"case {number}"), referred(f"referral {number}"))
    await standing.keep(log)

    paged = await standing.pages(
        lambda *after: asked(*after, most=7), "board", lambda row: (row["later"], row["deadline"], row["stream"])
    )
    assert [row["stream"] for row in paged] == await board(standing)
    assert len({row["stream"] for row in paged}) == 40


async def test_a_board_reads_its_index_however_many_cases_left_it(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written()
    for number in range(3_000):
        report_id = one(f"report {number}")
        log.write(stream(f"case {number}"), opened(), linked(report_id), *([CLOSED] if number % 10 else []))
        log.write(f"report/{report_id}", ReportWithdrawn(reason=Withdrawal.FALSE))
    await standing.keep(log)

    plan = await standing.plan("board", *asked(most=20))
    assert "case_board_in_order" in plan
    assert "Seq Scan" not in plan
    assert "case_board_by_unit" in await standing.plan("board", *asked(units=["commune:rare"]))
    assert "case_board_pkey" in await standing.plan("found", stream("case 7"))
    assert "case_board_off" in await standing.plan("off_the_board", [PLACE.unit], None, None, 10)
