"""What was destroyed stays destroyed: a vault that is older than the log is told again what the log says is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Set
from uuid import UUID

import asyncpg
import orjson

from events.custody import SubjectKeyDestroyed
from projections.sql import named_queries
from services.ledger.ledger import Recorded
from services.vault.destruction import key_mark, person_mark
from services.vault.master import MasterKey

SQL = named_queries("services.restoring", "restoring.sql")


def marks_in(rows: Iterable[Recorded]) -> set[str]:
    """The marks of all that these events say was destroyed."""
    return {
        mark for row in rows if row.type == SubjectKeyDestroyed.name for mark in orjson.loads(row.body)["data"]["marks"]
    }


def marks_told(wire: bytes) -> set[str]:
    """The same of one event as it stands on Kafka, whatever else stands there."""
    try:
        event = orjson.loads(wire)
        return {*event["data"]["marks"]} if event["type"] == SubjectKeyDestroyed.name else set()
    except (ValueError, KeyError, TypeError):
        return set()


async def destroy_again(connection: asyncpg.Connection[asyncpg.Record], master: MasterKey, marks: Set[str]) -> int:
    """Destroy the keys and erase the persons with these marks, in the caller's transaction; how many there were."""
    gone = 0
    async for people in _marked(connection, "persons", lambda one: person_mark(master, one), marks):
        for person in people:
            await connection.fetch(SQL["erase_person"], person)
        gone += len(people)
    async for keys in _marked(connection, "keys", lambda one: key_mark(master, one), marks):
        await connection.fetch(SQL["destroy_keys"], keys)
        gone += len(keys)
    return gone


async def _marked(
    connection: asyncpg.Connection[asyncpg.Record], query: str, mark: Callable[[UUID], str], marks: Set[str]
) -> AsyncIterator[list[UUID]]:
    """Those of the vault's ids that have one of these marks, in pages."""
    last = UUID(int=0)
    while ids := [UUID(int=row[0].int) for row in await connection.fetch(SQL[query], last)]:
        if found := [one for one in ids if mark(one) in marks]:
            yield found
        last = ids[-1]
