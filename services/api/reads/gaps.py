"""Which answers did not come in time: the gap between a warning and a response."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from events.level import Awaited
from projections.referral_board import PROJECTION
from projections.referral_board.table import SQL
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.records import refuse_unseen
from services.api.reads.shown import UNIT, record_id
from services.api.reads.then import AS_OF, seen_page, then

AWAITED = [one.value for one in Awaited]
WHICH = Parameter("awaited", "Only this answer; may be repeated.", {"type": "string", "enum": AWAITED}, True)
RUNGS = [str(rung) for rung in range(10)]
RUNG = Parameter(
    "rung",
    "Only what has come so far up the ladder of the rules, 0 for what has not climbed; may be repeated.",
    {"type": "string", "enum": RUNGS},
    True,
)


async def gaps(asked: Asked) -> Reply:
    """Answers that did not come and are awaited still, the longest overdue first, and how far each has climbed."""
    after = asked.cursor(datetime, str, str, str)
    wanted = asked.many("rung", RUNGS)
    rungs = None if wanted is None else [int(rung) for rung in wanted]
    filters = asked.units(), asked.many("awaited", AWAITED), rungs
    at = await then(asked, PROJECTION)

    async def fetch(after: Sequence[Any]) -> Sequence[asyncpg.Record]:
        return await asked.rows_of(SQL["gaps"], *filters, *after, asked.rows + 1, place=at.place)

    shown, last = await seen_page(asked, at, after, ("due", "stream", "awaited", "subject"), fetch)
    told = [
        {"case_id": record_id(row["stream"]), **asked.country.named(row["unit"]), "home": row["home"], **_gap(row)}
        for row in shown
    ]
    return Reply({"gaps": told, **at.spoken_of()}, after=last)


async def case_gaps(asked: Asked) -> Reply:
    """Every answer about one case that did not come in time, with when it came after all."""
    case_id, at = asked.id("case_id"), await then(asked, PROJECTION)
    await refuse_unseen(asked, case_id, at.position)
    found = await asked.rows_of(SQL["gaps_of_case"], f"case/{case_id}", place=at.place)
    told = [_gap(row) | {name: row[name] for name in ("answered_at", "answered_by")} for row in found]
    return Reply({"gaps": told, **at.spoken_of()})


def _gap(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "awaited": row["awaited"],
        "referral_id": row["subject"] or None,
        "step": row["step"],
        "due": row["due"],
        "rung": row["rung"],
        "told": row["tell"] and {"role": row["tell"], "since": row["rung_due"]},
        "next": row["next_tell"] and {"role": row["next_tell"], "due": row["next_due"]},
    }


READS = (
    Read("/v1/gaps", "read.gaps", gaps, (UNIT, WHICH, RUNG, AS_OF), paged=True),
    Read("/v1/cases/{case_id}/gaps", "read.gaps", case_gaps, (AS_OF,)),
)
