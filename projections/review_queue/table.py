"""The queue's rows in Postgres: what began to wait is written, what was answered is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from projections.projection import Connection, Page
from projections.referral import Referral
from projections.review_queue.case import CaseWaits
from projections.review_queue.fold import QueueState
from projections.review_queue.report import ReportWaits
from projections.rows import Writings
from projections.sql import named_queries

SQL = named_queries("projections.review_queue", "table.sql")
_WRITINGS = Writings(SQL)


class QueueTable:
    """States are bodies of two tables, so that each can be asked about by what it has."""

    definition = SQL["definition"]
    digests = (SQL["digest_waiting"], SQL["digest_reports"], SQL["digest_cases"])

    async def load(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, QueueState]:
        return {row["stream"]: _state(row["body"]) for row in await connection.fetch(SQL["load"], list(keys))}

    async def load_partition(self, connection: Connection, partition: int) -> Mapping[str, QueueState]:
        return {}

    async def dues(self, connection: Connection, partition: int) -> Iterable[tuple[str, str]]:
        return ()

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        await _WRITINGS.write(connection, pages)


def _state(body: str) -> QueueState:
    known = orjson.loads(body)
    if known["stream"].startswith("report/"):
        return ReportWaits(**known)
    known["referrals"] = {one: Referral(**referral) for one, referral in known["referrals"].items()}
    known["linked"] = {report_id: tuple(linking) for report_id, linking in known["linked"].items()}
    return CaseWaits(**known)
