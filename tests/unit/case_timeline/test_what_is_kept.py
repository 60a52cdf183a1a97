"""What the timeline keeps of each event, and which streams it ties together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import orjson
import pytest

from events.case.events import CaseMerged, CaseMergeReversed, CaseReportUnlinked
from events.command import clear
from events.reference import ClockTicked, TickReason
from events.report.events import Carried, ReportSuperseded
from events.sealed import KeyKind
from events.vocabulary import Credibility, Mode, Reliability
from projections.case_timeline import PROJECTION
from projections.part import Part, Poisoned
from tests.support.domain import CASE, NOW, OTHER_CASE, OTHER_HOME, REPORT, graded, linked, one, opened, received
from tests.support.projected import folded
from tests.support.written import Written

CASE_STREAM, OTHER_STREAM, REPORT_STREAM = f"case/{CASE}", f"case/{OTHER_CASE}", f"report/{REPORT}"


def links(log: Written) -> list[tuple[object, ...]]:
    page, _ = folded(PROJECTION, log.events)
    return page.rows.get("link", [])


def test_every_event_of_a_case_or_report_is_kept_whole() -> None:
    log = Written().write(REPORT_STREAM, received(), graded()).write(CASE_STREAM, opened())

    page, derived = folded(PROJECTION, log.events)

    first, second, third = page.rows["event"]
    assert first[:5] == (1, REPORT_STREAM, 1, "report.received", NOW)
    assert (second[:4], third[:4]) == ((2, REPORT_STREAM, 2, "report.graded"), (3, CASE_STREAM, 1, "case.opened"))
    assert orjson.loads(third[7]) == log.events[2].data
    assert isinstance(first[4], datetime)
    assert derived == []


def test_ticks_exercises_and_other_streams_are_no_part_of_a_timeline() -> None:
    log = Written().write("reference/clock", ClockTicked(nominal=NOW, reason=TickReason.HOUR))
    log.write("reporter/1", graded()).write(CASE_STREAM, opened(), mode=Mode.EXERCISE)

    page, _ = folded(PROJECTION, log.events)

    assert page.rows == {}


def test_a_report_is_tied_to_a_case_and_untied() -> None:
    unlinked = CaseReportUnlinked(report_id=REPORT, reason=clear("another", KeyKind.CASE, CASE))

    log = Written().write(CASE_STREAM, linked(), unlinked)

    assert links(log) == [
        (1, CASE_STREAM, "report", REPORT_STREAM, True),
        (2, CASE_STREAM, "report", REPORT_STREAM, False),
    ]


def test_a_merging_is_told_by_the_absorbing_case_and_once() -> None:
    log = Written().write(OTHER_STREAM, CaseMerged(into=CASE)).write(CASE_STREAM, CaseMerged(absorbed=OTHER_CASE))
    log.write(OTHER_STREAM, CaseMergeReversed(into=CASE)).write(CASE_STREAM, CaseMergeReversed(absorbed=OTHER_CASE))

    assert links(log) == [
        (2, CASE_STREAM, "absorbed", OTHER_STREAM, True),
        (4, CASE_STREAM, "absorbed", OTHER_STREAM, False),
    ]


def test_a_report_received_again_is_tied_to_what_it_was_before() -> None:
    again = one("received again")
    carried = Carried(
        supersedes=REPORT, first_received_as=REPORT, round=1, reliability=Reliability.F, credibility=Credibility.SIX
    )
    log = Written().write(REPORT_STREAM, received(), ReportSuperseded(received_again_as=again, home=OTHER_HOME))
    log.write(f"report/{again}", received(report_id=again, carried=carried), home=OTHER_HOME)

    assert links(log) == [(3, f"report/{again}", "earlier", REPORT_STREAM, True)]


def test_an_event_that_cannot_be_read_parks_its_own_stream() -> None:
    strange = replace(Written().write(CASE_STREAM, opened()).events[0], data={}, fault="from a later program")

    with pytest.raises(Poisoned) as poisoned:
        Part(PROJECTION.fold).take([strange])

    assert (poisoned.value.key, poisoned.value.position) == (CASE_STREAM, 1)
