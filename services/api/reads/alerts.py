"""What strangers were told, in the order of the ledger and up to what is on Kafka: the events themselves."""

from __future__ import annotations

import orjson

from services.api.problems import BAD_PARAMETER, Refused
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.sql import READS_SQL
from services.ledger.ledger import Recorded

AFTER = Parameter("after", "Only alerts after this position; left out, from the first.", {"type": "integer"})
OF_UNIT = Parameter("unit", "Only alerts of this unit; may be repeated.", repeated=True)


async def alerts(asked: Asked) -> Reply:
    """Alerts as they were issued, the oldest first; each is the CloudEvent of alerts.v1."""
    (after,) = asked.cursor(int)
    if after is None:
        after = _after(asked)
    units = asked.many("unit")
    streams = units and [f"alert/{unit}" for unit in units]
    until = asked.office.feed.head
    rows = await asked.office.projections.fetch(READS_SQL["alerts"], after, until, asked.rows + 1, streams)
    shown = [Recorded(*row) for row in rows[: asked.rows]]
    document = {"alerts": [orjson.Fragment(row.wire()) for row in shown]}
    last = shown[-1].position if shown else after
    return Reply(document, after=[last] if len(rows) > len(shown) else None)


def _after(asked: Asked) -> int:
    text = asked.one("after") or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Refused(BAD_PARAMETER, "after: expected the position of an alert, a number; copy it from its sequence.")
    return int(text)


READS = (Read("/v1/alerts", "read.alerts", alerts, (AFTER, OF_UNIT), paged=True),)
