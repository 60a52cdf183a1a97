"""How well places are watched, and since when nobody watches: for who works in the network and nobody else.

Reporters are counted and never named; which of them is silent is shown to their coordinator alone (reporters).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from events.level import Confidence, ConfidenceReason
from projections.coverage import PROJECTION
from projections.coverage.table import SQL
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.shown import UNIT, unit_in_the_address
from services.api.reads.then import AS_OF, Then, then

STATES = ["watched", "lost", "unknown"]
CONFIDENCES = [one.value for one in Confidence]
STATE = Parameter("state", "Only in this state; may be repeated.", {"type": "string", "enum": STATES}, True)
CONFIDENCE = Parameter(
    "confidence", "Only as sure as this; may be repeated.", {"type": "string", "enum": CONFIDENCES}, True
)
UNCOVERED = Parameter(
    "uncovered",
    "Also the communes in force to which nobody was ever assigned, where the other filters let them in.",
    {"type": "boolean"},
)
NEVER = "Nobody was ever assigned to watch this unit."
NEVER_COVERED: dict[str, Any] = {
    "home": None,
    "state": "unknown",
    "since": None,
    "last_sign": None,
    "reporters": 0,
    "silent": 0,
    "confidence": Confidence.LOW.value,
    "confidence_reason": ConfidenceReason.COVERAGE_UNKNOWN.value,
    "next_due": None,
}
SHOWN = tuple(NEVER_COVERED)
OF_CHANNELS = ("channel", "state", "since", "last_sign")


async def coverages(asked: Asked) -> Reply:
    """Units that somebody was ever assigned to, with their channels, in order of their ids."""
    (after,) = asked.cursor(str)
    wanted, most = asked.units(), asked.rows + 1
    states, confidences = asked.many("state", STATES), asked.many("confidence", CONFIDENCES)
    at = await then(asked, PROJECTION)
    rows = await asked.rows_of(SQL["units"], wanted, states, confidences, after, most, place=at.place)
    found = {row["unit"]: row for row in rows}
    page = {*found}
    if asked.yes("uncovered") and "unknown" in (states or STATES) and "low" in (confidences or CONFIDENCES):
        page |= await _never_covered(asked, at, wanted, after)
    units = sorted(page)[:most]
    shown = units[: asked.rows]
    channels = await _channels(asked, at, shown)
    told = [_coverage(asked, unit, found.get(unit), channels.get(unit, [])) for unit in shown]
    return Reply({"coverage": told, **at.spoken_of()}, after=[shown[-1]] if len(units) > len(shown) else None)


async def coverage(asked: Asked) -> Reply:
    """One unit; of one that nobody was ever assigned to, that is said."""
    unit = unit_in_the_address(asked)
    at = await then(asked, PROJECTION)
    rows = await asked.rows_of(SQL["units"], [unit], None, None, None, 1, place=at.place)
    channels = await _channels(asked, at, [unit])
    return Reply(_coverage(asked, unit, rows[0] if rows else None, channels.get(unit, [])) | at.spoken_of())


async def _never_covered(asked: Asked, at: Then, wanted: list[str] | None, after: str | None) -> set[str]:
    """Communes in force after this one, of those that are wanted, which have no row."""
    communes = {one for one in asked.country.communes if after is None or one > after}
    if wanted is not None:
        communes &= {*wanted}
    covered = await asked.rows_of(SQL["units"], sorted(communes), None, None, None, len(communes), place=at.place)
    return communes - {row["unit"] for row in covered}


async def _channels(asked: Asked, at: Then, units: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    told: dict[str, list[dict[str, Any]]] = {}
    for row in await asked.rows_of(SQL["channels"], units, place=at.place):
        told.setdefault(row["unit"], []).append({name: row[name] for name in OF_CHANNELS})
    return told


def _coverage(asked: Asked, unit: str, row: asyncpg.Record | None, channels: list[dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = asked.country.coded(unit).copy()
    if row is None:
        return told | NEVER_COVERED | {"channels": [], "note": NEVER}
    return told | {name: row[name] for name in SHOWN} | {"channels": channels}


READS = (
    Read("/v1/coverage/{unit}", "read.coverage", coverage, (AS_OF,)),
    Read("/v1/coverage", "read.coverage", coverages, (UNIT, STATE, CONFIDENCE, UNCOVERED, AS_OF), paged=True),
)
