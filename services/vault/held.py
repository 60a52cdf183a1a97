"""The held signs in Postgres: what concurs there is kept apart by locks of its own functions (0015, 0019)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, tzinfo
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from services.vault.connection import CONNECTION_FAULTS, QUERIES, answers
from services.vault.signs import Gathered, Gathering, HeldSign, NewSign, Overdue, Taken, Taking


class HeldSigns:
    """SignStore (services/vault/signs) on a pool of the role intabaza_vault."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def hold(self, sign: NewSign, moment: datetime | None, zone: tzinfo) -> Taking:
        async with answers("hold a sign of life"):
            row = await self._pool.fetchrow(
                QUERIES["hold_signs"],
                sign.command_id,
                sign.mac,
                moment,
                _name(zone),
                sign.person_id,
                sign.on,
                sign.channel,
                [words.reporter_id for words in sign.words],
                [words.key_id for words in sign.words],
                [words.sealed for words in sign.words],
            )
        assert row is not None
        return Taking(Taken(row["outcome"]), row["taken_on"])

    async def taken(self, command_id: UUID, mac: bytes) -> Taking | None:
        async with answers("look a sign of life up"):
            row = await self._pool.fetchrow(QUERIES["sign_taken"], command_id, mac)
        return None if row is None else Taking(Taken(row["outcome"]), row["taken_on"])

    async def gather(self, moment: datetime | None, zone: tzinfo, keep_days: int) -> Gathered:
        async with answers("gather the signs of life"):
            try:
                rows = await self._pool.fetch(QUERIES["gather_signs"], moment, _name(zone), keep_days)
            except CONNECTION_FAULTS:  # twice is as once
                rows = await self._pool.fetch(QUERIES["gather_signs"], moment, _name(zone), keep_days)
        today: date = rows[0]["today"]
        found = groupby((row for row in rows if row["batch_id"] is not None), lambda row: row["batch_id"])
        return Gathered(today, tuple(Gathering(_uuid(batch_id), tuple(map(_sign, signs))) for batch_id, signs in found))

    async def let_go(self, batch_id: UUID) -> None:
        async with answers("let signs of life go"):
            await self._pool.execute(QUERIES["let_signs_go"], batch_id)

    async def last_held(self, reporter_ids: Collection[UUID], today: date) -> Mapping[UUID, date]:
        async with answers("find held signs of life"):
            rows = await self._pool.fetch(QUERIES["last_held"], list(reporter_ids), today)
        return {_uuid(row["reporter_id"]): row["day"] for row in rows}

    async def overdue(self, moment: datetime | None, zone: tzinfo) -> Overdue:
        async with answers("count the overdue signs of life"):
            row = await self._pool.fetchrow(QUERIES["overdue_signs"], moment, _name(zone))
        assert row is not None
        return Overdue(row["signs"], row["seconds"])


def _name(zone: tzinfo) -> str:
    """As the database calls it; an offset would mean the opposite there."""
    if not isinstance(zone, ZoneInfo):
        raise TypeError(f"{zone} has no IANA name: a day begins by a time zone, such as Africa/Bujumbura")
    return zone.key


def _sign(row: asyncpg.Record) -> HeldSign:
    return HeldSign(
        _uuid(row["reporter_id"]),
        _uuid(row["person_id"]),
        _uuid(row["key_id"]),
        row["day"],
        row["channel"],
        row["said"],
        row["taken_on"],
    )


def _uuid(told: UUID) -> UUID:
    """Of the standard library's class; asyncpg's own compares equal and prints otherwise."""
    return UUID(int=told.int)
