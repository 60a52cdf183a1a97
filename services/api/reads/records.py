"""One report or case as the ledger tells it, for who may see it: what lies outside is as if there were none."""

from __future__ import annotations

from uuid import UUID

from events.case.refusals import NoSuchCase
from events.case.state import Case
from events.report.refusals import NoSuchReport
from events.report.state import Report
from services.api.reading import Asked
from services.desk import Reading

NOBODYS = UUID(int=0)
"""A reading that leads to no command."""


async def report_of(asked: Asked, report_id: UUID) -> tuple[Report, Reading]:
    """A report, and what was read of it; raises NoSuchReport."""
    reading = Reading(asked.office.ledger, NOBODYS)
    report = await reading.report(report_id)
    if report.content is None or not asked.sees(report.content.place.unit):
        raise NoSuchReport()
    return report, reading


async def case_of(asked: Asked, case_id: UUID) -> tuple[Case, Reading]:
    """A case, and what was read of it; raises NoSuchCase."""
    reading = Reading(asked.office.ledger, NOBODYS)
    case = await reading.case(case_id)
    if case.place is None or not asked.sees(case.place.unit):
        raise NoSuchCase()
    return case, reading
