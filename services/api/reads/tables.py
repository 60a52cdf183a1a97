"""Alerts as a table: one file with everything, read piece by piece, and what its columns mean."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from uuid import UUID

from services.api.problems import BAD_PARAMETER, Refused
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.reads.alerts import OF_UNIT
from services.api.reads.bulletins import history, streams
from services.bulletins import examples, table
from services.bulletins.history import History

AFTER = Parameter(
    "after",
    "Only alerts that were told after this one, by its `alert_id`: that of the last line that you have.",
    {"type": "string", "format": "uuid"},
)


async def alerts_table(asked: Asked) -> Reply:
    """Every alert as CSV, the oldest first, with its codes; `/v1/datapackage.json` says what the columns are.

    It comes piece by piece, however long it is; one that breaks off ends the connection.
    """
    told, of = history(asked), streams(asked)
    after = await _after(asked, told)
    said = repr((table.VERSION, str(await told.last(of)), asked.one("after"), of))
    return Reply(_lines(told, of, after), etag=sha256(said.encode()).hexdigest()[:20])


async def alerts_data_package(asked: Asked) -> Reply:
    """What the columns of `alerts.csv` are, as a Data Package (Frictionless Standards, Table Schema)."""
    return Reply(table.data_package(asked.office.issuer))


async def _after(asked: Asked, told: History) -> int:
    """Where the alert stands after which others are asked for; 0 is before the first. Raises Refused."""
    if (text := asked.one("after")) is None:
        return 0
    try:
        alert = await told.one(UUID(text))
    except ValueError:
        alert = None
    if alert is None:
        raise Refused(BAD_PARAMETER, "after: expected the alert_id of an alert; copy it from the last line you have.")
    return alert.position


async def _lines(told: History, of: Sequence[str] | None, after: int) -> AsyncIterator[bytes]:
    yield table.head()
    async for page in told.all(after, of):
        yield table.lines(page)


READS = (
    Read(
        "/v1/alerts.csv", "read.alerts", alerts_table, (AFTER, OF_UNIT),
        media_type=table.MEDIA_TYPE, example=examples.csv_table,
    ),
    Read("/v1/datapackage.json", "read.alerts", alerts_data_package, example=examples.package),
)  # fmt: skip
