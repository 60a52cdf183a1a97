"""One report or case as the ledger tells it, for who may see it: absent and outside are told apart, as commands do."""

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
    """A report, and what was read of it; raises NoSuchReport or OutsideArea."""
    reading = Reading(asked.office.ledger, NOBODYS)
    report = await reading.report(report_id)
    if report.content is None:
        raise NoSuchReport()
    asked.refuse_outside(report.content.place.unit)
    return report, reading


async def case_of(asked: Asked, case_id: UUID) -> tuple[Case, Reading]:
    """A case, and what was read of it; raises NoSuchCase or OutsideArea."""
    reading = Reading(asked.office.ledger, NOBODYS)
    case = await reading.case(case_id)
    if case.place is None:
        raise NoSuchCase()
    asked.refuse_outside(case.place.unit)
    return case, reading
