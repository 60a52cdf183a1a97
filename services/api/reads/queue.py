"""What waits for whom: reports to grade and conclude, to place and date; cases to ratify, assess and look after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from events.catalogue import read
from events.reference import RulesAdopted
from events.vocabulary import Role
from projections.review_queue import PROJECTION
from projections.review_queue.table import SQL
from projections.review_queue.waiting import WHOM
from projections.rule_set import read_rule_set
from services.api.problems import BAD_PARAMETER, Refused
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.shown import UNIT
from services.api.reads.sql import READS_SQL
from services.api.reads.then import AS_OF, Then, seen_page, seen_streams, then
from services.ledger.ledger import Recorded

ROLES = sorted(set(WHOM.values()))
WHAT = sorted(WHOM)

WHOSE = Parameter(
    "role",
    "For whom it waits; left out, for the role of who asks.",
    {"type": "string", "enum": ROLES},
)
MOST = Parameter("limit", "At most so many.")
THINGS = Parameter("what", "Only what waits for this; may be repeated.", {"type": "string", "enum": WHAT}, True)


async def queue(asked: Asked) -> Reply:
    """What waits for a role: what is urgent first, then what waits longest."""
    whom = asked.one("role", ROLES) or _own_role(asked)
    after = asked.cursor(bool, datetime, str, str, str)
    filters = asked.many("what", WHAT), asked.units()
    at = await then(asked, PROJECTION)
    required = await _required_then(asked, at)

    async def fetch(after: Sequence[Any]) -> Sequence[asyncpg.Record]:
        return await asked.rows_of(SQL["waiting"], whom, *filters, required, *after, asked.rows + 1, place=at.place)

    shown, last = await seen_page(asked, at, after, ("later", "since", "stream", "what", "subject"), fetch)
    return Reply({"role": whom, "waiting": [_waiting(asked, row) for row in shown], **at.spoken_of()}, after=last)


async def queue_counts(asked: Asked) -> Reply:
    """How much waits for each role, since when the oldest does, and what is due first."""
    at, units = await then(asked, PROJECTION), asked.units()
    streams = await seen_streams(asked, at, SQL["streams"], units)
    found = await asked.rows_of(SQL["counts"], units, await _required_then(asked, at), streams, place=at.place)
    names = ("what", "things", "oldest", "first_due")
    counts = [{"role": row["whom"]} | {name: row[name] for name in names} for row in found]
    return Reply({"counts": counts, **at.spoken_of()})


async def changed_evidence(asked: Asked) -> Reply:
    """Assessed cases of which a report was concluded, corrected or fell since; the oldest change first."""
    at, units = await then(asked, PROJECTION), asked.units()
    streams = await seen_streams(asked, at, SQL["evidence_streams"], units)
    found = await asked.rows_of(SQL["evidence_changed"], units, asked.rows, streams, place=at.place)
    changed = [row["changed_at"] for row in found]
    times = {row["position"]: row["recorded_at"] for row in await _recorded(asked, changed)}
    cases = [
        {
            "case_id": row["stream"].partition("/")[2],
            **asked.country.named(row["unit"]),
            "changed_at": times[row["changed_at"]],
            "reports": [stream.partition("/")[2] for stream in row["reports"]],
        }
        for row in found
    ]
    return Reply({"cases": cases, **at.spoken_of()})


async def _recorded(asked: Asked, positions: Sequence[int]) -> Sequence[asyncpg.Record]:
    """When these positions were recorded: the projection keeps positions, as it compares them alone."""
    return await asked.office.projections.fetch(READS_SQL["recorded"], positions)


def _own_role(asked: Asked) -> str:
    role = asked.asking.bearer.role
    if role not in (Role.REVIEWER, Role.COORDINATOR):
        raise Refused(BAD_PARAMETER, f"role: expected one of {', '.join(ROLES)}, as nothing waits for yours; add it.")
    return role.value


def _required(asked: Asked) -> int:
    return asked.office.network().committee.required


async def _required_then(asked: Asked, at: Then) -> int:
    """How many must agree, by the rule set of then; before there was any, by the one of now."""
    rows = [] if at.position is None else await asked.office.projections.fetch(READS_SQL["rules_at"], at.position)
    if not rows:
        return _required(asked)
    adopted = read(Recorded(*rows[0]).wire()).data
    assert isinstance(adopted, RulesAdopted)
    return read_rule_set(adopted.content).committee.required


def _waiting(asked: Asked, row: asyncpg.Record) -> dict[str, Any]:
    record, _, record_id = row["stream"].partition("/")
    names = ("kind", "urgent", "since", "due", "round", "grades", "agreeing")
    return {
        "what": row["what"],
        f"{record}_id": record_id,
        "referral_id": row["subject"] or None,
        **asked.country.named(row["unit"]),
        "home": row["home"],
        **{name: row[name] for name in names},
    }


READS = (
    Read("/v1/queue", "read.queue", queue, (WHOSE, THINGS, UNIT, AS_OF), paged=True),
    Read("/v1/queue/counts", "read.queue", queue_counts, (UNIT, AS_OF)),
    Read("/v1/queue/changed-evidence", "read.queue", changed_evidence, (UNIT, MOST, AS_OF)),
)
