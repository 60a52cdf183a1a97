"""What subscribers are left in peace with, until when and why: for who works in the network."""

from __future__ import annotations

from typing import Any

import asyncpg
import orjson

from projections.silences import PROJECTION
from projections.silences.table import SQL
from services.api.problems import NO_SILENCE, Refused
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.shown import UNIT
from services.api.reads.then import AS_OF, then

STANDING = Parameter("standing", "Only silences that stand, or only those that are over.", {"type": "boolean"})


async def silences(asked: Asked) -> Reply:
    """Silences, the latest first; who decided one is told as a role."""
    after = asked.cursor(str, str)
    which = asked.one("standing", ("true", "false"))
    wanted = None if which is None else which == "true"
    at = await then(asked, PROJECTION)
    found = await asked.rows_of(SQL["silences"], asked.units(), wanted, *after, asked.rows + 1, place=at.place)
    shown = found[: asked.rows]
    last = [shown[-1]["since"], shown[-1]["silence_id"]] if len(found) > len(shown) else None
    return Reply({"silences": [_silence(asked, row) for row in shown], **at.spoken_of()}, after=last)


async def silence(asked: Asked) -> Reply:
    """One silence; 404 where there is none of this id in the reader's area, or not yet."""
    at = await then(asked, PROJECTION)
    rows = await asked.rows_of(SQL["one"], str(asked.id("silence_id")), place=at.place)
    if not rows:
        raise Refused(NO_SILENCE, "There is no such silence in your area, or not yet: see /v1/silences.")
    return Reply(_silence(asked, rows[0]) | at.spoken_of())


def _silence(asked: Asked, row: asyncpg.Record) -> dict[str, Any]:
    said = orjson.loads(row["body"])
    return {
        "silence_id": row["silence_id"],
        **asked.country.coded(row["unit"]),
        "up_to_level": said["up_to_level"],
        "changes": said["changes"],
        "kinds": said["kinds"],
        "since": row["since"],
        "until": row["until"],
        "by": row["by"],
        "reason": said["reason"],
        "ended_at": row["ended_at"],
        "how": row["how"],
    }


READS = (
    Read("/v1/silences/{silence_id}", "read.silences", silence, (AS_OF,)),
    Read("/v1/silences", "read.silences", silences, (UNIT, STANDING, AS_OF), paged=True),
)
