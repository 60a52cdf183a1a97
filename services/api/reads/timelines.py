"""What happened, in order: of a case with its reports and what it absorbed; of a report with what it was before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson

from events.case.refusals import NoSuchCase
from events.refusals import Refusal
from events.report.refusals import NoSuchReport
from projections.case_timeline.table import SQL
from services.api.reading import Asked, Read, Reply
from services.api.reads.records import case_of, report_of
from services.api.reads.sealed import veiled
from services.api.reads.shown import AFTER, after_in_the_address
from services.api.reads.sql import READS_SQL
from services.api.reads.then import AS_OF, seen_page, then_recorded


async def case_timeline(asked: Asked) -> Reply:
    """A case's events, those of what it absorbed and of reports linked to any of these, now or earlier."""
    case_id = asked.id("case_id")
    await case_of(asked, case_id)
    return await _timeline(asked, f"case/{case_id}", NoSuchCase())


async def report_timeline(asked: Asked) -> Reply:
    """A report's events, and those of what it was received as before."""
    report_id = asked.id("report_id")
    await report_of(asked, report_id)
    return await _timeline(asked, f"report/{report_id}", NoSuchReport())


async def _timeline(asked: Asked, stream: str, unheard_of: Refusal) -> Reply:
    """Nothing is folded for a moment: rows are only ever added, and say at which position."""
    (after,) = asked.cursor(int)
    if after is None:
        after = after_in_the_address(asked)
    at = await then_recorded(asked)
    if at.position is not None:
        (begun,) = await asked.office.projections.fetch(READS_SQL["begun"], stream)
        if begun["position"] > at.position:
            raise unheard_of
    belonging = {row["stream"] for row in await asked.rows_of(SQL["belonging"], stream)} if at.moment else set()

    async def fetch(after: Sequence[Any]) -> Sequence[asyncpg.Record]:
        return await asked.rows_of(SQL["timeline"], stream, *after, asked.rows + 1, at.position)

    # Of a moment those of records that the timeline shows now, or that are seen by themselves.
    shown, last = await seen_page(asked, at, [after], ("position",), fetch, belonging)
    return Reply({"events": [_event(row) for row in shown], **at.spoken_of()}, after=last)


def _event(row: asyncpg.Record) -> dict[str, Any]:
    fields: list[str] = []
    data = veiled(orjson.loads(row["data"]), fields)
    record, _, record_id = row["stream"].partition("/")
    return {
        "position": row["position"],
        "record": record,
        "record_id": record_id,
        "version": row["version"],
        "type": row["type"],
        "recorded_at": row["recorded_at"],
        "role": row["role"],
        "actor": row["actor"],
        "still_linked": row["still_linked"],
        "data": data,
        "sealed_fields": fields,
    }


READS = (
    Read("/v1/cases/{case_id}/timeline", "read.timeline", case_timeline, (AFTER, AS_OF), paged=True),
    Read("/v1/reports/{report_id}/timeline", "read.timeline", report_timeline, (AFTER, AS_OF), paged=True),
)
