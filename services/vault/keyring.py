"""The keys in Postgres. Callers at the same moment share one round trip and one commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from secrets import token_bytes
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from events.sealed import KeyKind
from services import clock
from services.ledger.ledger import CommandBurned, CommandReused, Placed
from services.vault.batch import Batch
from services.vault.connection import QUERIES, answers
from services.vault.destruction import Decided, Said, destruction
from services.vault.keys import DataKey, Need
from services.vault.master import MasterKey
from services.vault.refused import ApprovalUsed, KeyGone, MasterKeyRefused, NoSuchKey, NotDestroyed, VaultError

DATA_KEY_BYTES = 32

SOURCE = "urn:intabaza"
"""Who says that something was destroyed, where nobody says otherwise."""


class Minting:
    """A new secret for each of these keys, wrapped for the database, which says whether it took it or had one."""

    def __init__(self, master: MasterKey, needs: Sequence[Need]) -> None:
        self._master = master
        self._needs = needs
        self._made = {uuid4(): token_bytes(DATA_KEY_BYTES) for _ in needs}

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What `vault.make_keys` takes, in its order."""
        key_ids = list(self._made)
        spoken = [(place, person) for place, need in enumerate(self._needs, 1) for person in need.speaks_of]
        return (
            [need.kind.value for need in self._needs],
            [need.subject for need in self._needs],
            [need.person_id for need in self._needs],
            key_ids,
            [
                self._master.wrap(key_id, need.kind, need.subject, self._made[key_id])
                for key_id, need in zip(key_ids, self._needs, strict=True)
            ],
            self._master.version,
            [place for place, _ in spoken],
            [person for _, person in spoken],
        )

    def keys(self, rows: Iterable[Any]) -> dict[Need, DataKey | VaultError]:
        """The keys that it answers with; what is wrong with one key is its own answer."""
        keys: dict[Need, DataKey | VaultError] = dict.fromkeys(self._needs, KeyGone())
        for place, row_id, wrapped, version in rows:
            if wrapped is None:
                continue
            need, key_id = self._needs[place - 1], UUID(int=row_id.int)
            try:
                secret = self._made.get(key_id) or self._master.unwrap(
                    key_id, need.kind, need.subject, wrapped, version
                )
                keys[need] = DataKey(key_id, need.kind, AESGCM(secret))
            except MasterKeyRefused as error:
                keys[need] = error
        return keys


class KeyRing:
    """Keys (services/vault/keys) on a pool of the role intabaza_vault. Use it within one event loop."""

    def __init__(self, pool: asyncpg.Pool, master: MasterKey, source: str = SOURCE) -> None:
        self._pool = pool
        self._master = master
        self._source = source
        self._makers = Batch[Need, DataKey]("make keys", self._make)

    async def close(self) -> None:
        """Stop making keys; who still waits is told that the vault is unavailable. The pool stays its owner's."""
        await self._makers.close()

    async def keys_for(self, needs: Collection[Need]) -> Mapping[Need, DataKey]:
        return await self._makers.ask(needs) if needs else {}

    async def _make(self, needs: Sequence[Need]) -> Mapping[Need, DataKey | VaultError]:
        """Make and read back. A repeat finds what the first try made."""
        minting = Minting(self._master, needs)
        return minting.keys(await self._pool.fetch(QUERIES["make_keys"], *minting.arguments))

    async def open_keys(self, key_ids: Collection[UUID]) -> Mapping[UUID, DataKey]:
        async with answers("open keys"):
            rows = {row["key_id"]: row for row in await self._pool.fetch(QUERIES["read_keys"], list(key_ids))}
        keys: dict[UUID, DataKey] = {}
        for key_id in key_ids:
            row = rows.get(key_id)
            if row is None:
                raise NoSuchKey(key_id)
            if row["wrapped"] is None:
                raise KeyGone
            kind = KeyKind(row["kind"])
            secret = self._master.unwrap(key_id, kind, row["subject"], row["wrapped"], row["wrap_version"])
            keys[key_id] = DataKey(key_id, kind, AESGCM(secret))
        return keys

    async def destroy(self, key_ids: Collection[UUID]) -> frozenset[UUID]:
        async with self._destroying("destroy keys") as connection:
            gone = await self._gone(connection, "destroy_keys", list(key_ids))
            if gone:
                await self._say(connection, destruction(self._master, gone, (), self._source))
        return gone

    async def erase(self, person_id: UUID) -> frozenset[UUID]:
        async with self._destroying("erase a person") as connection:
            erased_before = await connection.fetchval(QUERIES["begin_erasure"], person_id)
            gone = await self._gone(connection, "erase_person", person_id)
            if gone or not erased_before:
                await self._say(connection, destruction(self._master, gone, {person_id}, self._source))
        return gone

    async def erase_as_decided(self, person_id: UUID, decided: Decided) -> Placed | None:
        """Erase a person and say whose decision it was: where on the log, or None where they were erased already.

        The approvals are used up by it and by nothing else: what fails costs none. Raises ApprovalUsed, NotDestroyed,
        CommandReused and CommandBurned.
        """
        async with self._destroying("erase a person") as connection:
            if await connection.fetchval(QUERIES["begin_erasure"], person_id):
                return None
            try:
                await connection.execute(QUERIES["use_up"], list(decided.approval_ids))
            except asyncpg.UniqueViolationError:
                raise ApprovalUsed from None
            gone = await self._gone(connection, "erase_person", person_id)
            said = destruction(self._master, gone, {person_id}, self._source, decided)
            return await self._say(connection, said)

    @asynccontextmanager
    async def _destroying(self, what: str) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
        """One transaction in which something is destroyed and said to be: neither is ever without the other."""
        async with answers(what), self._pool.acquire() as connection, connection.transaction():
            yield connection

    async def _gone(self, connection: asyncpg.pool.PoolConnectionProxy, query: str, argument: Any) -> frozenset[UUID]:
        return frozenset(UUID(int=row["key_id"].int) for row in await connection.fetch(QUERIES[query], argument))

    async def _say(self, connection: asyncpg.pool.PoolConnectionProxy, said: Said) -> Placed | None:
        """Where it stands; None where that very command said it before, to a vault that was newer than this one."""
        _, _, _, stream, _, event_id, _ = said
        row = await connection.fetchrow(QUERIES["say_destroyed"], clock.now(), *said)
        assert row is not None
        match row["outcome"]:
            case "accepted":
                return Placed(row["position"], stream, 1, event_id, row["recorded_at"])
            case "repeated":
                return None
            case "reused":
                raise CommandReused()
            case "burned":
                raise CommandBurned()
            case outcome:
                raise NotDestroyed(row["detail"] or outcome)
