"""The board's rows in Postgres: referrals and gaps upserted, and each case's state with its next due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from projections.projection import Connection, Page
from projections.referral import Referral
from projections.referral_board.case import Ask, CaseReferrals, Gap
from projections.rows import Writings
from projections.sql import named_queries

SQL = named_queries("projections.referral_board", "table.sql")
_WRITINGS = Writings(SQL)


class ReferralTable:
    """The state of a case is the `body` of its row; dues are found by partition."""

    definition = SQL["definition"]
    digests = (SQL["digest_referrals"], SQL["digest_counts"], SQL["digest_gaps"], SQL["digest_cases"])

    async def load(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, CaseReferrals]:
        return {row["stream"]: state_of(row["body"]) for row in await connection.fetch(SQL["load"], list(keys))}

    async def load_partition(self, connection: Connection, partition: int) -> Mapping[str, CaseReferrals]:
        return {}

    async def dues(self, connection: Connection, partition: int) -> Iterable[tuple[str, str]]:
        return [(row["due"], row["stream"]) for row in await connection.fetch(SQL["dues"], partition)]

    async def write(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        await _WRITINGS.write(connection, pages)


def state_of(body: str) -> CaseReferrals:
    known = orjson.loads(body)
    known["referrals"] = {one: Referral(**referral) for one, referral in known["referrals"].items()}
    known["gaps"] = {name: Gap(**gap) for name, gap in known["gaps"].items()}
    known["asks"] = [Ask(**ask) for ask in known["asks"]]
    return CaseReferrals(**known)
