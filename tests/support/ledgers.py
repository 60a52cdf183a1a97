"""Ledgers to try, their adapters alike, and submissions that read like the domain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import asyncpg

from events.alert import AlertChange, AlertIssued
from events.envelope import Draft, event_id, named_id
from events.event import Event
from events.vocabulary import Actor, Mode, Role
from services import clock
from services.ledger.ledger import Append, Entry, Ledger, Submission
from services.ledger.memory import MemoryLedger
from services.ledger.postgres import PostgresLedger

HOME = "bi:home:1"


class Noted(Event):
    """An event of the tests alone."""

    name = "test.noted"
    text: str


def a_stream() -> str:
    return f"test/{uuid4()}"


def events_for(
    command_id: UUID, stream: str, expected: int, count: int = 1, home: str = HOME, text: str = ""
) -> Append:
    """An append of so many notes for a stream; their ids follow from the command and the stream."""
    entries = []
    for version in range(expected + 1, expected + count + 1):
        draft = Draft(
            event_id=named_id(command_id, f"{stream} {version}"),
            source="urn:intabaza:test",
            stream=stream,
            version=version,
            home=home,
            data=Noted(text=text),
            command_id=command_id,
            command_mac=b"\x01" * 32,
            actor=Actor(role=Role.SYSTEM, ref=UUID(int=1)),
        )
        entries.append(Entry(draft.event_id, Noted.name, draft.body()))
    return Append(stream, expected, home, tuple(entries))


def note(
    stream: str | None = None,
    expected: int = 0,
    count: int = 1,
    *,
    command_id: UUID | None = None,
    mac: bytes = b"\x01" * 32,
    home: str = HOME,
    text: str = "",
    also: tuple[Append, ...] = (),
    keys: frozenset[UUID] = frozenset(),
) -> Submission:
    """A command that appends notes to one stream, and whatever `also` says."""
    command_id = command_id or uuid4()
    return Submission(
        command_id, mac, (events_for(command_id, stream or a_stream(), expected, count, home, text), *also), keys
    )


def unmoved(stream: str, expected: int, home: str = HOME) -> Append:
    """An assertion: the decision read this stream at this version."""
    return Append(stream, expected, home)


@dataclass
class Witness:
    """A caller's clock that may be wrong."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return clock.now() + self.ahead


class Trial(Protocol):
    """One ledger on trial, and the world around it."""

    ledger: Ledger
    witness: Witness

    async def make_key(self) -> UUID: ...

    async def destroy_key(self, key_id: UUID) -> None: ...

    async def age(self, by: timedelta) -> None:
        """Make the ledger's clock be so far past the last event (or behind it, where negative)."""
        ...


class MemoryTrial:
    def __init__(self, simulated_from: datetime | None = None) -> None:
        self.witness = Witness()
        self.keys: set[UUID] = set()
        self.lag = timedelta()
        self.ledger: Ledger = MemoryLedger(
            witness=lambda: self.witness() + self.lag,
            own_clock=lambda: clock.now() + self.lag,
            simulated_from=simulated_from,
            key_lives=self.keys.__contains__,
        )

    async def make_key(self) -> UUID:
        key_id = uuid4()
        self.keys.add(key_id)
        return key_id

    async def destroy_key(self, key_id: UUID) -> None:
        self.keys.remove(key_id)

    async def age(self, by: timedelta) -> None:
        self.lag = by


class PostgresTrial:
    """`owner` is a connection as superuser: it does what no program of ours may."""

    def __init__(self, ledger: Ledger, witness: Witness, owner: asyncpg.Connection[asyncpg.Record]) -> None:
        self.ledger = ledger
        self.witness = witness
        self.owner = owner

    async def make_key(self) -> UUID:
        key_id = uuid4()
        await self.owner.execute(
            "insert into vault.key (key_id, kind, subject, wrapped, wrap_version)"
            " values ($1, 'report', $2, '\\x00', 1)",
            key_id,
            str(key_id),
        )
        return key_id

    async def destroy_key(self, key_id: UUID) -> None:
        await self.owner.execute(
            "update vault.key set wrapped = null, destroyed_at = clock_timestamp() where key_id = $1", key_id
        )

    async def age(self, by: timedelta) -> None:
        async with self.owner.transaction():
            await self.owner.execute("alter table ledger.event disable trigger user")
            await self.owner.execute(
                "update ledger.event set recorded_at = clock_timestamp() - $1::interval"
                " where position = (select max(position) from ledger.event)",
                by,
            )
            await self.owner.execute("alter table ledger.event enable trigger user")


@asynccontextmanager
async def postgres_trial(
    owner_dsn: str, app_dsn: str, simulated_from: datetime | None = None
) -> AsyncIterator[PostgresTrial]:
    """A trial on a migrated database; the ledger works as the role intabaza_app."""
    owner = await asyncpg.connect(owner_dsn)
    if simulated_from is not None:
        await owner.execute("select ledger.simulate($1)", simulated_from)
    witness = Witness()
    ledger = await PostgresLedger.connect(app_dsn, witness)
    try:
        yield PostgresTrial(ledger, witness, owner)
    finally:
        await ledger.close()
        await owner.close()


async def until_waiting_for_the_append_lock(owner: asyncpg.Connection[asyncpg.Record], backends: int = 1) -> None:
    """Return when that many backends of this database wait for an advisory lock."""
    waiting = (
        "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    async with asyncio.timeout(20):
        while await owner.fetchval(waiting) < backends:  # noqa: ASYNC110 - nothing rings when a backend waits
            await asyncio.sleep(0.005)


def an_alert(unit: str, number: int = 1, mode: Mode = Mode.ACTUAL, **said: Any) -> Submission:
    """A command that tells strangers of a unit, as an engine would; `said` are fields that it says otherwise."""
    alert = AlertIssued(
        unit=unit,
        unit_name=unit,
        on=date(2026, 5, 20),
        rules_hash="0" * 64,
        **{"from": 0 if number == 1 else 2, "to": 2, "change": AlertChange.RAISED, **said},
    )
    return by_nobody(f"alert/{unit}", number, alert, mode)


def by_nobody(stream: str, number: int, data: Event, mode: Mode = Mode.ACTUAL, home: str = HOME) -> Submission:
    """A command that puts one event of ours at this place of a stream."""
    command_id = uuid4()
    draft = Draft(
        event_id=event_id(command_id, 0),
        source="urn:intabaza:test",
        stream=stream,
        version=number,
        home=home,
        data=data,
        command_id=command_id,
        command_mac=b"\x01" * 32,
        actor=Actor(role=Role.SYSTEM, ref=UUID(int=1)),
        mode=mode,
        engine=1 if data.derived else None,
    )
    entry = Entry(draft.event_id, data.name, draft.body())
    return Submission(command_id, b"\x01" * 32, (Append(draft.stream, number - 1, home, (entry,)),), frozenset())
