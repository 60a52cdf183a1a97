"""One report or case as the ledger tells it, for who may see it: what lies outside is as if there were none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from events.case.events import CaseEvent
from events.case.refusals import NoSuchCase
from events.case.state import Case, evolve
from events.catalogue import read
from events.report.refusals import NoSuchReport
from events.report.state import Report
from services.api.reading import Asked
from services.desk.reading import Reading
from services.ledger.ledger import Recorded

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


async def refuse_unseen(asked: Asked, case_id: UUID, position: int | None) -> None:
    """Raises NoSuchCase for a case that whoever asks does not see now, or did not at a position, where one is named."""
    await case_of(asked, case_id)
    if position is not None:
        refuse_unseen_then(asked, await asked.office.ledger.read_stream(f"case/{case_id}"), position)


def refuse_unseen_then(asked: Asked, rows: Sequence[Recorded], position: int) -> None:
    """Raises NoSuchCase for a case that was not opened yet at a position, or lay where whoever asks does not see."""
    case = Case(NOBODYS)
    for row in rows:
        if row.position <= position:
            case = evolve(case, cast(CaseEvent, read(row.wire()).data))
    if case.place is None or not asked.sees(case.place.unit):
        raise NoSuchCase()
