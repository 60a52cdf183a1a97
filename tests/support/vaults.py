"""Vaults to try: keys and persons of one deployment, in memory or in Postgres, and events with texts to seal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from secrets import token_bytes
from typing import ClassVar
from uuid import UUID, uuid4

import asyncpg
from pydantic import SecretStr

from events.envelope import Draft, event_id
from events.event import Act, Event
from events.sealed import Clear, KeyKind, Sealable, Under
from events.vocabulary import Actor, Role
from services.ledger.ledger import Append, Entry, Submission
from services.vault.admissions import Admissions
from services.vault.connection import connect_vault
from services.vault.intake import Intake
from services.vault.keyring import KeyRing
from services.vault.keys import Keys
from services.vault.master import MasterKey
from services.vault.memory import MemoryVault
from services.vault.persons import Persons
from services.vault.register import PersonRegister

HOME = "bi:home:1"
SOURCE = "urn:intabaza:test"


class Told(Event):
    """An event of the tests alone, with texts under any key."""

    name: ClassVar[str] = "test.told"

    text: Sealable
    contact: Sealable | None = None
    note: Sealable | None = None


@dataclass(frozen=True)
class Vault:
    """Keys and persons that belong together."""

    keys: Keys
    persons: Persons
    intake: Intake


@dataclass(frozen=True)
class PostgresVault(Vault):
    ring: KeyRing
    pool: asyncpg.Pool[asyncpg.Record]
    master: MasterKey


def memory_vault() -> Vault:
    vault = MemoryVault()
    return Vault(keys=vault, persons=vault, intake=vault)


@asynccontextmanager
async def postgres_vault(dsn: str, master: MasterKey | None = None) -> AsyncIterator[PostgresVault]:
    """A vault on a migrated database; the DSN is of the role intabaza_vault."""
    master = master or MasterKey(token_bytes(32))
    pool = await connect_vault(dsn)
    ring, persons, intake = KeyRing(pool, master), PersonRegister(pool, master), Admissions(pool, master)
    try:
        yield PostgresVault(keys=ring, persons=persons, intake=intake, ring=ring, pool=pool, master=master)
    finally:
        await intake.close()
        await ring.close()
        await pool.close()


def clear(text: str, kind: KeyKind, owner: UUID) -> Clear:
    return Clear(text=SecretStr(text), under=Under(kind=kind, owner=owner))


def submission_of(
    stream: str, sealed: tuple[Event, ...], key_ids: frozenset[UUID], expected_version: int = 0
) -> Submission:
    """A command that appends sealed events to one stream."""
    command_id = uuid4()
    entries = []
    for place, event in enumerate(sealed):
        draft = Draft(
            event_id=event_id(command_id, place),
            source=SOURCE,
            stream=stream,
            version=expected_version + place + 1,
            home=HOME,
            data=event,
            command_id=command_id,
            command_mac=b"\x01" * 32,
            actor=Actor(role=Role.SYSTEM, ref=UUID(int=1)),
        )
        entries.append(Entry(draft.event_id, event.name, draft.body()))
    return Submission(command_id, b"\x01" * 32, (Append(stream, expected_version, HOME, tuple(entries)),), key_ids)


def act_of(role: Role, ref: UUID | None = None) -> Act:
    return Act(at=datetime(2027, 3, 1, tzinfo=UTC), today=date(2027, 3, 1), by=Actor(role=role, ref=ref or uuid4()))
