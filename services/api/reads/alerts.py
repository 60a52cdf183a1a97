"""What strangers were told, in the order of the ledger and up to what is on Kafka: the events themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import asyncpg
import orjson

from projections.alert_level.naming import LEVELS
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.shown import AFTER, UNIT, after_in_the_address
from services.api.reads.sql import READS_SQL
from services.api.reads.then import NOW, Then
from services.ledger.ledger import Recorded

ACKNOWLEDGED = Parameter(
    "acknowledged", "Only alerts that somebody has acknowledged, or only those that nobody has.", {"type": "boolean"}
)
STANDING = "read.standing-alerts"
OF_UNIT = Parameter("unit", "Only alerts of this unit; may be repeated.", repeated=True)


async def alerts(asked: Asked) -> Reply:
    """Alerts as they were issued, the oldest first; each is the CloudEvent of alerts.v1."""
    (after,) = asked.cursor(int)
    if after is None:
        after = after_in_the_address(asked)
    units = asked.many("unit")
    streams = units and [f"alert/{unit}" for unit in units]
    until = asked.office.feed.head
    rows = await asked.office.projections.fetch(READS_SQL["alerts"], after, until, asked.rows + 1, streams)
    shown = [Recorded(*row) for row in rows[: asked.rows]]
    document = {"alerts": [orjson.Fragment(row.wire()) for row in shown]}
    last = shown[-1].position if shown else after
    return Reply(document, after=[last] if len(rows) > len(shown) else None)


async def standing_alerts(asked: Asked) -> Reply:
    """Units where an alert stands, in order of their ids, with who has acknowledged it: a role and a moment."""
    (after,) = asked.cursor(str)
    which = asked.one("acknowledged", ("true", "false"))
    wanted = None if which is None else which == "true"
    found = await asked.rows_of(READS_SQL["standing_alerts"], asked.units(), after, asked.rows + 1, wanted, None)
    shown = found[: asked.rows]
    last = [shown[-1]["unit"]] if len(found) > len(shown) else None
    return Reply({"alerts": [_standing(asked, row) for row in shown]}, after=last)


async def standing_in(asked: Asked, units: Collection[str], at: Then = NOW) -> Mapping[str, dict[str, Any]]:
    """The alert that stands, or stood then, in each of these units where one does, and who had acknowledged it: a role
    and a moment."""
    if not units or not asked.may(STANDING):
        return {}
    arguments = sorted(units), None, len(units), None, at.position
    found = await asked.rows_of(READS_SQL["standing_alerts"], *arguments, place=at.place)
    return {row["unit"]: _acknowledgement(row) for row in found}


def _standing(asked: Asked, row: asyncpg.Record) -> dict[str, Any]:
    told = {"level": row["told"], "level_name": LEVELS[row["told"]], "since": row["told_at"]}
    return asked.country.coded(row["unit"]) | told | _acknowledgement(row)


def _acknowledgement(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "alert_id": row["alert"],
        "acknowledged_at": row["acknowledged_at"],
        "acknowledged_by": row["acknowledged_by"],
    }


READS = (
    Read("/v1/alerts/standing", STANDING, standing_alerts, (UNIT, ACKNOWLEDGED), paged=True),
    Read("/v1/alerts", "read.alerts", alerts, (AFTER, OF_UNIT), paged=True),
)
