"""The persons in Postgres, found by the HMAC of a phone; no number is stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg

from services.vault.connection import QUERIES, answers
from services.vault.master import MasterKey
from services.vault.persons import phone_number
from services.vault.refused import KeyGone, SourceDiffers


class PersonRegister:
    """Persons (services/vault/persons) on a pool of the role intabaza_vault."""

    def __init__(self, pool: asyncpg.Pool, master: MasterKey) -> None:
        self._pool = pool
        self._master = master

    async def find_person(self, phone: str) -> UUID | None:
        mac = self._master.phone_mac(phone_number(phone))
        async with answers("find a person"):
            return _plain(await self._pool.fetchval(QUERIES["find_person"], mac))

    async def person_by_phone(self, phone: str) -> UUID:
        mac = self._master.phone_mac(phone_number(phone))
        person_id = await self._found_or_added("person", (mac,))
        if person_id is None:  # erased between the adding and the reading: a new call makes a new person
            return await self.person_by_phone(phone)
        return person_id

    async def record_source(self, report_id: UUID, person_id: UUID) -> None:
        async with answers("record a report's source"):
            await self._pool.execute(QUERIES["add_source"], report_id, person_id)
        source = (await self._sources(report_id)).get(report_id)
        if source is None:
            raise KeyGone
        if source != person_id:
            raise SourceDiffers(report_id)

    async def same_person(self, report_id: UUID, person_id: UUID) -> bool | None:
        source = (await self._sources(report_id)).get(report_id)
        return None if source is None else source == person_id

    async def same_source(self, report_id: UUID, other_report_id: UUID) -> bool | None:
        sources = await self._sources(report_id, other_report_id)
        if report_id not in sources or other_report_id not in sources:
            return None
        return sources[report_id] == sources[other_report_id]

    async def pseudonym(self, person_id: UUID, about: UUID) -> UUID:
        return _living(await self._found_or_added("pseudonym", (person_id, about)))

    async def reporter_id(self, person_id: UUID, home: str) -> UUID:
        return _living(await self._found_or_added("reporter", (person_id, home)))

    async def _sources(self, *report_ids: UUID) -> dict[UUID, UUID]:
        async with answers("find a report's source"):
            rows = await self._pool.fetch(QUERIES["find_sources"], list(report_ids))
        return {row["report_id"]: row["person_id"] for row in rows}

    async def _found_or_added(self, noun: str, key: tuple[Any, ...]) -> UUID | None:
        """Find; else add and find again, since the one found may be another caller's who added first."""
        async with answers(f"find a {noun}"):
            found = await self._pool.fetchval(QUERIES[f"find_{noun}"], *key)
            if found is None:
                await self._pool.execute(QUERIES[f"add_{noun}"], *key)
                found = await self._pool.fetchval(QUERIES[f"find_{noun}"], *key)
        return _plain(found)


def _plain(found: Any) -> UUID | None:
    return None if found is None else UUID(int=found.int)


def _living(found: UUID | None) -> UUID:
    if found is None:
        raise KeyGone
    return found
