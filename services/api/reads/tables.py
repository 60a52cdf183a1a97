"""Alerts as a table: one file with everything, read piece by piece, and what its columns mean."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from services.api.reading import Asked, Read, Reply
from services.api.reads.alerts import OF_UNIT
from services.api.reads.bulletins import history, streams
from services.api.reads.shown import AFTER, after_in_the_address
from services.bulletins import examples, table
from services.bulletins.history import History


async def alerts_table(asked: Asked) -> Reply:
    """Every alert as CSV, the oldest first, with its codes; `/v1/datapackage.json` says what the columns are.

    It comes piece by piece, however long it is; one that breaks off ends the connection.
    """
    told, of, after = history(asked), streams(asked), after_in_the_address(asked)
    last = await told.last(of)
    return Reply(_lines(told, of, after), etag=f"{after}-{last}-{table.VERSION}")


async def alerts_data_package(asked: Asked) -> Reply:
    """What the columns of `alerts.csv` are, as a Data Package (Frictionless Standards, Table Schema)."""
    return Reply(table.data_package(asked.office.issuer))


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
