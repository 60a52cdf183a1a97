"""What strangers were told, in the order of the ledger and up to what is on Kafka: the events themselves."""

from __future__ import annotations

import orjson

from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.shown import AFTER, after_in_the_address
from services.api.reads.sql import READS_SQL
from services.ledger.ledger import Recorded

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


READS = (Read("/v1/alerts", "read.alerts", alerts, (AFTER, OF_UNIT), paged=True),)
