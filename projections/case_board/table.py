"""The board's rows in Postgres: one upsert a case that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from projections.case_board.fold import CaseBoardState, OnBoard
from projections.projection import Connection, Page
from projections.referral import Referral
from projections.rows import Writings
from projections.sql import named_queries

SQL = named_queries("projections.case_board", "table.sql")
_WRITINGS = Writings(SQL)


class BoardTable:
    """A case's state is its row's `body`; the columns beside it are what a board is asked by."""

    definition = SQL["definition"]
    digests = (SQL["digest_cases"], SQL["digest_fallen"])

    async def load(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, CaseBoardState]:
        """A report that fell is not loaded: it falls once, and falling writes all there is."""
        cases = [key for key in keys if key.startswith("case/")]
        return {row["stream"]: _case(row["body"]) for row in await connection.fetch(SQL["load"], cases)}

    async def load_partition(self, connection: Connection, partition: int) -> Mapping[str, CaseBoardState]:
        return {}

    async def dues(self, connection: Connection, partition: int) -> Iterable[tuple[str, str]]:
        return ()

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        await _WRITINGS.write(connection, pages)


def _case(body: str) -> OnBoard:
    known = orjson.loads(body)
    known["referrals"] = {one: Referral(**referral) for one, referral in known["referrals"].items()}
    return OnBoard(**known)
