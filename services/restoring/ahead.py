"""Whether Kafka knows more than the ledger, asked before anybody can append: a ledger that was put back finds out."""

from __future__ import annotations

import asyncio

import asyncpg

from services.database.lost import CONNECT_SECONDS, LOST
from services.local_problem import LocalProblem
from services.relay.ends import newest
from services.restoring.ledger import SQL

BECAUSE = (
    "Kafka knows more than the ledger: it goes up to position {there} at least, and the ledger to {here}; run "
    "`intabaza ledger restore`, and the relay opens the door once both agree"
)


def shut_where_kafka_is_ahead(owner_dsn: str, bootstrap: str, partitions: int) -> str | None:
    """Shut the door to appends where Kafka has a position that the ledger does not have; why, where it did.

    It looks at the ends alone; what differs before them is found by the relay. It blocks, and raises LocalProblem.
    """
    found = newest(bootstrap, partitions)
    there = 0 if found is None else found.position
    try:
        return asyncio.run(_shut(owner_dsn, there))
    except LOST as error:
        raise LocalProblem(
            f"The database did not answer ({str(error) or type(error).__name__}): see `intabaza logs postgres`."
        ) from error


async def _shut(owner_dsn: str, there: int) -> str | None:
    connection = await asyncpg.connect(owner_dsn, timeout=CONNECT_SECONDS)
    try:
        standing = await connection.fetchrow(SQL["head"])
        assert standing is not None
        if there <= standing["position"]:
            return None
        because = BECAUSE.format(there=there, here=standing["position"])
        await connection.execute(SQL["shut"], because)
        return because
    finally:
        await connection.close()
