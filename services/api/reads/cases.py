"""Which cases are open, where and how bad; and one case as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from events.case.refusals import NoSuchCase
from events.case.state import Stage
from projections.case_board import PROJECTION
from projections.case_board.table import SQL
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.records import case_of
from services.api.reads.shown import KIND, KINDS, SEVERITIES, SEVERITY, UNIT, record_id
from services.api.reads.sql import READS_SQL
from services.api.reads.then import AS_OF, seen_page, seen_streams, still_seen, then

ON_THE_BOARD = [Stage.OPEN.value, Stage.RESOLVED.value]
STAGE = Parameter("stage", "Only in this stage; may be repeated.", {"type": "string", "enum": ON_THE_BOARD}, True)

_SHOWN_OF_A_BODY = (
    "version",
    "precision",
    "opened_at",
    "changed_at",
    "threat_to_life",
    "ratify_by",
    "occurred",
    "expected",
    "round",
    "credibility",
    "circulating",
    "assessed_at",
    "last_decision",
    "last_decision_at",
    "outcome",
)


async def cases(asked: Asked) -> Reply:
    """Open cases: provisional ones first, then whose next deadline is soonest."""
    after = asked.cursor(bool, datetime, str)
    filters = asked.many("kind", KINDS), asked.many("stage", ON_THE_BOARD), asked.many("severity", SEVERITIES)
    at = await then(asked, PROJECTION)
    units = asked.units()

    async def fetch(after: Sequence[Any]) -> Sequence[asyncpg.Record]:
        return await asked.rows_of(SQL["board"], units, *filters, *after, asked.rows + 1, place=at.place)

    shown, last = await seen_page(asked, at, after, ("later", "deadline", "stream"), fetch)
    return Reply({"cases": [_on_the_board(asked, row) for row in shown], **at.spoken_of()}, after=last)


async def case_counts(asked: Asked) -> Reply:
    """How many open cases stand where, in which stage and how bad."""
    at, units = await then(asked, PROJECTION), asked.units()
    streams = await seen_streams(asked, at, SQL["on_the_board"], units)
    found = await asked.rows_of(SQL["counts"], units, streams, place=at.place)
    names = ("kind", "stage", "severity", "cases", "provisional")
    counts = [asked.country.named(row["unit"]) | {name: row[name] for name in names} for row in found]
    return Reply({"counts": counts, **at.spoken_of()})


async def ended_cases(asked: Asked) -> Reply:
    """Cases that left the board: closed, not ratified, or merged into another; by unit."""
    after = asked.cursor(str, str)
    at, units = await then(asked, PROJECTION), asked.units()

    async def fetch(after: Sequence[Any]) -> Sequence[asyncpg.Record]:
        return await asked.rows_of(SQL["off_the_board"], units, *after, asked.rows + 1, place=at.place)

    shown, last = await seen_page(asked, at, after, ("unit", "stream"), fetch)
    return Reply({"cases": [_case(asked, row) for row in shown], **at.spoken_of()}, after=last)


async def case(asked: Asked) -> Reply:
    """One case as it stands, or stood: its stage, its referrals, and what it was merged into."""
    case_id = asked.id("case_id")
    stream = f"case/{case_id}"
    at = await then(asked, PROJECTION)
    if at.moment is not None:
        await case_of(asked, case_id)
    found = await asked.rows_of(SQL["found"], stream, place=at.place)
    if not found:
        raise NoSuchCase()
    row, body = found[0], orjson.loads(found[0]["body"])
    if not asked.sees(row["unit"]):
        raise NoSuchCase()
    absorbed = await still_seen(asked, at, await asked.rows_of(READS_SQL["absorbed"], stream, place=at.place))
    told = _case(asked, row, body) | {
        "reports": [{"report_id": one, "independent": how} for one, how in sorted(body["linked"].items())],
        "referrals": [_referral(one, referral) for one, referral in sorted(body["referrals"].items())],
        "absorbed": [record_id(other["stream"]) for other in absorbed],
    }
    if at.moment is not None:
        return Reply(told | at.spoken_of())
    since_shown = await asked.office.ledger.read_stream(stream, body["version"] - 1)
    return Reply(told, position=since_shown[0].position if since_shown else None)


def _on_the_board(asked: Asked, row: asyncpg.Record) -> dict[str, Any]:
    counted = ("reports_linked", "reports_standing", "referrals_open")
    return _case(asked, row) | {"next_deadline": row["next_deadline"]} | {name: row[name] for name in counted}


def _case(asked: Asked, row: asyncpg.Record, body: dict[str, Any] | None = None) -> dict[str, Any]:
    body = body or orjson.loads(row["body"])
    return {
        "case_id": record_id(row["stream"]),
        **asked.country.named(row["unit"]),
        "home": row["home"],
        "kind": row["kind"],
        "stage": row["stage"],
        "provisional": body["provisional"],
        "severity": row["severity"],
        "verification_state": row["verification_state"],
        "merged_into": record_id(body["merged_into"]) if body["merged_into"] else None,
        **{name: body[name] for name in _SHOWN_OF_A_BODY},
    }


def _referral(referral_id: str, referral: dict[str, Any]) -> dict[str, Any]:
    hidden = ("unacknowledged", "acted")
    return {"referral_id": referral_id} | {name: value for name, value in referral.items() if name not in hidden}


READS = (
    Read("/v1/cases", "read.cases", cases, (UNIT, KIND, STAGE, SEVERITY, AS_OF), paged=True),
    Read("/v1/cases/counts", "read.cases", case_counts, (UNIT, AS_OF)),
    Read("/v1/cases/ended", "read.cases", ended_cases, (UNIT, AS_OF), paged=True),
    Read("/v1/cases/{case_id}", "read.cases", case, (AS_OF,)),
)
