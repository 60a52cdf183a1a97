"""The persons in Postgres, found by a phone's HMAC; no number is stored. Callers at one moment share round trips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from services.vault.batch import Batch
from services.vault.connection import QUERIES, answers
from services.vault.master import MasterKey
from services.vault.persons import phone_number
from services.vault.refused import KeyGone, SourceDiffers, VaultError

Q = TypeVar("Q")


class PersonRegister:
    """Persons (services/vault/persons) on a pool of the role intabaza_vault. Use it within one event loop."""

    def __init__(self, pool: asyncpg.Pool, master: MasterKey) -> None:
        self._pool = pool
        self._master = master
        self._phones = Batch[bytes, UUID | None]("find a person", self._find_phones)
        self._callers = Batch[bytes, UUID]("find or add a person", self._add_phones)
        self._sources = Batch[UUID, UUID | None]("find a report's source", self._find_sources)
        self._spoken = Batch[UUID, frozenset[UUID]]("find of whom a report speaks", self._find_spoken_of)
        self._reports = Batch[tuple[UUID, UUID], UUID]("record a report's source", self._add_sources)
        self._pseudonyms = Batch[tuple[UUID, UUID], UUID]("find a pseudonym", self._add_pseudonyms)
        self._reporters = Batch[tuple[UUID, str], UUID]("find a reporter's id", self._add_reporters)

    async def find_person(self, phone: str) -> UUID | None:
        mac = self._master.phone_mac(phone_number(phone))
        return (await self._phones.ask([mac]))[mac]

    async def person_by_phone(self, phone: str) -> UUID:
        mac = self._master.phone_mac(phone_number(phone))
        return (await self._callers.ask([mac]))[mac]

    async def introduce(self, phone: str, person_id: UUID) -> UUID:
        mac = self._master.phone_mac(phone_number(phone))
        async with answers("introduce a person"):
            return UUID(int=(await self._pool.fetchval(QUERIES["introduce"], mac, person_id)).int)

    async def record_source(self, report_id: UUID, person_id: UUID) -> None:
        link = (report_id, person_id)
        if (await self._reports.ask([link]))[link] != person_id:
            raise SourceDiffers(report_id)

    async def same_person(self, report_id: UUID, person_id: UUID) -> bool | None:
        source = (await self._sources.ask([report_id]))[report_id]
        return None if source is None else source == person_id

    async def same_source(self, report_id: UUID, other_report_id: UUID) -> bool | None:
        sources = await self._sources.ask([report_id, other_report_id])
        source, other = sources[report_id], sources[other_report_id]
        return None if source is None or other is None else source == other

    async def spoken_of(self, report_id: UUID) -> frozenset[UUID]:
        return (await self._spoken.ask([report_id]))[report_id]

    async def pseudonym(self, person_id: UUID, about: UUID) -> UUID:
        return (await self._pseudonyms.ask([(person_id, about)]))[person_id, about]

    async def reporter_id(self, person_id: UUID, home: str) -> UUID:
        return (await self._reporters.ask([(person_id, home)]))[person_id, home]

    async def find_reporter_id(self, person_id: UUID, home: str) -> UUID | None:
        async with answers("find a reporter's id"):
            found = await self._pool.fetchval(QUERIES["find_reporter"], person_id, home)
        return None if found is None else UUID(int=found.int)

    async def reporter_streams(self, person_id: UUID) -> Mapping[str, UUID]:
        async with answers("find a reporter's ids"):
            rows = await self._pool.fetch(QUERIES["reporter_streams"], person_id)
        return {row["home"]: UUID(int=row["reporter_id"].int) for row in rows}

    async def reporters_in(self, homes: Collection[str] | None) -> Sequence[tuple[UUID, UUID]]:
        async with answers("find the reporters of some homes"):
            rows = await self._pool.fetch(QUERIES["reporters_in"], None if homes is None else list(homes))
        return [(UUID(int=row["person_id"].int), UUID(int=row["reporter_id"].int)) for row in rows]

    async def reports_of(self, people: Collection[UUID]) -> Mapping[UUID, Collection[UUID]]:
        async with answers("find somebody's reports"):
            rows = await self._pool.fetch(QUERIES["reports_of"], list(people))
        found: dict[UUID, set[UUID]] = defaultdict(set)
        for row in rows:
            found[UUID(int=row["person_id"].int)].add(UUID(int=row["report_id"].int))
        return found

    async def known(self, person_id: UUID) -> bool:
        async with answers("find a person"):
            return bool(await self._pool.fetchval(QUERIES["known"], person_id))

    async def committee(self) -> frozenset[UUID]:
        async with answers("read the committee"):
            return frozenset(UUID(int=row[0].int) for row in await self._pool.fetch(QUERIES["seated"]))

    async def seat(self, person_id: UUID, *, sits: bool) -> bool:
        async with answers("change the committee"):
            return bool(await self._pool.fetchval(QUERIES["seat"], person_id, sits))

    async def _find_phones(self, macs: Sequence[bytes]) -> Mapping[bytes, UUID | VaultError | None]:
        return dict.fromkeys(macs) | await self._found("find_person", macs)

    async def _add_phones(self, macs: Sequence[bytes]) -> Mapping[bytes, UUID | VaultError]:
        return await self._found_or_added("callers", macs)

    async def _find_sources(self, report_ids: Sequence[UUID]) -> Mapping[UUID, UUID | VaultError | None]:
        return dict.fromkeys(report_ids) | await self._found("find_source", report_ids)

    async def _find_spoken_of(self, report_ids: Sequence[UUID]) -> Mapping[UUID, frozenset[UUID] | VaultError]:
        spoken: dict[UUID, set[UUID]] = {report_id: set() for report_id in report_ids}
        for subject, person in await self._pool.fetch(QUERIES["find_spoken_of"], list(map(str, report_ids))):
            spoken[UUID(subject)].add(UUID(int=person.int))
        return {report_id: frozenset(people) for report_id, people in spoken.items()}

    async def _add_sources(self, links: Sequence[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], UUID | VaultError]:
        sources = await self._found("sources", links)
        return {link: sources.get(link[0]) or KeyGone() for link in links}

    async def _add_pseudonyms(
        self, wanted: Sequence[tuple[UUID, UUID]]
    ) -> Mapping[tuple[UUID, UUID], UUID | VaultError]:
        return await self._found_or_added("pseudonyms", wanted)

    async def _add_reporters(self, wanted: Sequence[tuple[UUID, str]]) -> Mapping[tuple[UUID, str], UUID | VaultError]:
        return await self._found_or_added("reporters", wanted)

    async def _found_or_added(self, links: str, keys: Sequence[Q]) -> Mapping[Q, UUID | VaultError]:
        """Read links back, those that were missing added. What is still missing belongs to somebody erased."""
        found = await self._found(links, keys)
        return {key: found.get(key) or KeyGone() for key in keys}

    async def _found(self, query: str, keys: Sequence[Any]) -> dict[Any, UUID]:
        rows = await self._pool.fetch(QUERIES[query], *_columns(keys))
        return {_key(row[:-1]): UUID(int=row[-1].int) for row in rows}


def _columns(keys: Sequence[Any]) -> list[list[Any]]:
    return [list(column) for column in zip(*keys, strict=True)] if isinstance(keys[0], tuple) else [list(keys)]


def _key(columns: Any) -> Any:
    return columns[0] if len(columns) == 1 else tuple(columns)
