"""A case's timeline as it is read: its own events, its reports', and those of what it absorbed, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from events.case.events import CaseMerged, CaseMergeReversed, CaseReportUnlinked
from events.command import clear
from events.report.events import Carried, ReportSuperseded
from events.sealed import KeyKind
from events.vocabulary import Credibility, Reliability
from projections.case_timeline import PROJECTION
from projections.case_timeline.table import SQL
from projections.part import Part
from projections.projection import Connection
from services.local.postgres import PostgresServer
from tests.support.domain import CASE, OTHER_CASE, OTHER_HOME, REPORT, graded, linked, one, opened, received
from tests.support.written import Written

OTHER_REPORT, AGAIN = one("other report"), one("received again")
CASE_STREAM, OTHER_STREAM = f"case/{CASE}", f"case/{OTHER_CASE}"
UNLINKED = CaseReportUnlinked(report_id=REPORT, reason=clear("another matter", KeyKind.CASE, CASE))


@pytest.fixture
async def place(postgres: PostgresServer, empty_database: str) -> AsyncIterator[Connection]:
    """A connection to a database that holds the timeline's tables and nothing else."""
    connection = await asyncpg.connect(postgres.dsn(empty_database))
    await connection.execute(PROJECTION.table.definition)
    yield connection
    await connection.close()


async def keep(place: Connection, log: Written) -> None:
    page, _ = Part(PROJECTION.fold).take(log.events)
    async with place.transaction():
        await PROJECTION.table.write(place, {0: page})


async def timeline(place: Connection, stream: str, after: int = 0, limit: int = 100) -> list[tuple[int, bool]]:
    rows = await place.fetch(SQL["timeline"], stream, after, limit, None)
    return [(row["position"], row["still_linked"]) for row in rows]


def two_reports_and_a_case() -> Written:
    log = Written().write(f"report/{REPORT}", received()).write(f"report/{OTHER_REPORT}", received())
    return log.write(CASE_STREAM, opened(), linked()).write(f"report/{REPORT}", graded())


async def test_a_case_shows_its_own_events_and_those_of_its_reports_in_order(place: Connection) -> None:
    await keep(place, two_reports_and_a_case())

    assert await timeline(place, CASE_STREAM) == [(1, True), (3, True), (4, True), (5, True)]
    (first, *_) = await place.fetch(SQL["timeline"], CASE_STREAM, 0, 1, None)
    assert (first["stream"], first["type"], first["version"]) == (f"report/{REPORT}", "report.received", 1)


async def test_a_report_that_is_linked_no_more_is_shown_as_such(place: Connection) -> None:
    await keep(place, two_reports_and_a_case().write(CASE_STREAM, UNLINKED))

    assert await timeline(place, CASE_STREAM) == [(1, False), (3, True), (4, True), (5, False), (6, True)]


async def test_a_report_linked_again_is_linked_still(place: Connection) -> None:
    await keep(place, two_reports_and_a_case().write(CASE_STREAM, UNLINKED, linked()))

    assert all(still for _, still in await timeline(place, CASE_STREAM))


async def test_an_absorbed_case_brings_its_events_and_reports_until_the_merging_is_reversed(place: Connection) -> None:
    log = two_reports_and_a_case().write(OTHER_STREAM, opened(case_id=OTHER_CASE), linked(OTHER_REPORT))
    log.write(OTHER_STREAM, CaseMerged(into=CASE)).write(CASE_STREAM, CaseMerged(absorbed=OTHER_CASE))
    await keep(place, log)
    assert [position for position, _ in await timeline(place, CASE_STREAM)] == list(range(1, 10))

    log.write(OTHER_STREAM, CaseMergeReversed(into=CASE)).write(CASE_STREAM, CaseMergeReversed(absorbed=OTHER_CASE))
    later = Written()
    later.events = log.events[9:]
    await keep(place, later)

    assert [position for position, _ in await timeline(place, CASE_STREAM)] == [1, 3, 4, 5, 9, 11]
    assert [position for position, _ in await timeline(place, OTHER_STREAM)] == [2, 6, 7, 8, 10]


async def test_what_an_absorbed_case_absorbed_before_comes_along(place: Connection) -> None:
    third = one("third case")
    log = Written().write(f"case/{third}", opened(case_id=third)).write(OTHER_STREAM, CaseMerged(absorbed=third))
    await keep(place, log.write(CASE_STREAM, CaseMerged(absorbed=OTHER_CASE)))

    assert await timeline(place, CASE_STREAM) == [(1, True), (2, True), (3, True)]


async def test_a_report_received_again_shows_what_happened_to_it_before(place: Connection) -> None:
    carried = Carried(
        supersedes=REPORT, first_received_as=REPORT, round=1, reliability=Reliability.F, credibility=Credibility.SIX
    )
    log = Written().write(f"report/{REPORT}", received(), graded())
    log.write(f"report/{REPORT}", ReportSuperseded(received_again_as=AGAIN, home=OTHER_HOME))
    log.write(f"report/{AGAIN}", received(report_id=AGAIN, carried=carried), home=OTHER_HOME)
    await keep(place, log.write(OTHER_STREAM, linked(AGAIN), home=OTHER_HOME))

    assert [position for position, _ in await timeline(place, OTHER_STREAM)] == [1, 2, 3, 4, 5]
    assert [position for position, _ in await timeline(place, f"report/{REPORT}")] == [1, 2, 3]


async def test_pages_follow_each_other_without_a_gap_or_a_repeat(place: Connection) -> None:
    log = two_reports_and_a_case()
    for _ in range(20):
        log.write(f"report/{REPORT}", graded()).write(CASE_STREAM, linked(OTHER_REPORT))
    await keep(place, log)
    whole = await timeline(place, CASE_STREAM)

    paged: list[tuple[int, bool]] = []
    while page := await timeline(place, CASE_STREAM, paged[-1][0] if paged else 0, limit=7):
        paged += page

    assert paged == whole
    assert len(whole) == 45


async def test_the_read_query_stands_on_the_indexes(place: Connection) -> None:
    log = Written()
    for number in range(3_000):
        log.write(f"case/{one(f'case {number % 500}')}", linked(one(f"report {number}")))
        log.write(f"report/{one(f'report {number}')}", received())
    await keep(place, log)
    await place.execute("analyze")

    plan = await place.fetch(f"explain {SQL['timeline']}", f"case/{one('case 7')}", 0, 50, None)

    text = "\n".join(line[0] for line in plan)
    assert "case_timeline_event_by_stream" in text
    assert "case_timeline_link_by_stream" in text
    assert "Seq Scan" not in text
