"""Keys that are destroyed while reports that use them arrive, and people who are erased while others report them.

From the moment at which a destruction is answered nothing comes into the ledger under that key, and it opens nothing.
It is done by the vault's own door: nobody's role can ask for it by HTTP yet.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from projections.sql import named_queries
from services.vault.connection import connect_vault
from services.vault.keyring import KeyRing
from services.vault.master import MasterKey
from tests.faults.strikes import Strike
from tests.faults.world import SQL as WORLD
from tests.faults.world import World

SQL = named_queries("tests.faults.strikes", "keys.sql")

LEAST_SECONDS, MOST_SECONDS = 2.0, 4.0
NEWEST = 3
"""Of so many keys that were made last one is destroyed: those are in use."""
AGAIN_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Destroy:
    """Destroy one key after the other, or erase one person after the other, for some seconds."""

    whole_people: bool

    @property
    def name(self) -> str:
        return "keys_of_people_erased" if self.whole_people else "keys_destroyed"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        until = time.monotonic() + dice.uniform(LEAST_SECONDS, MOST_SECONDS)
        gone: dict[UUID, int] = {}
        asked = 0
        connection = await asyncpg.connect(world.dsn())
        pool = await connect_vault(world.dsn("vault"), 1)
        ring = KeyRing(pool, MasterKey.read(world.stack.settings.master_key_file))
        try:
            while time.monotonic() < until or not gone:
                destroyed = await self._one(world, connection, ring, dice)
                head = await connection.fetchval(WORLD["head"])
                gone |= dict.fromkeys(destroyed, head)
                asked += 1
                await asyncio.sleep(AGAIN_SECONDS)  # new keys come meanwhile
            await _none_is_used(connection, gone)
            silenced = {row["person_id"] for row in await connection.fetch(SQL["of_signs"], list(gone))}
        finally:
            await ring.close()
            await pool.close()
            await connection.close()
        return {"asked": asked, "destroyed": len(gone), "silenced": sorted(map(str, silenced))}

    async def _one(
        self, world: World, connection: asyncpg.Connection[asyncpg.Record], ring: KeyRing, dice: random.Random
    ) -> frozenset[UUID]:
        if self.whole_people:
            people = await connection.fetch(SQL["sources"], list(world.people.values()))
            return await ring.erase(dice.choice(people)["person_id"]) if people else frozenset()
        keys = await connection.fetch(SQL["newest"], NEWEST)
        return await ring.destroy([dice.choice(keys)["key_id"]])


async def _none_is_used(connection: asyncpg.Connection[asyncpg.Record], gone: Mapping[UUID, int]) -> None:
    kept = await connection.fetch(SQL["kept"], list(gone))
    assert not kept, f"destroyed, and still there: {kept}"
    for row in await connection.fetch(SQL["later"], min(gone.values())):
        for key, head in gone.items():
            used = row["position"] > head and str(key).encode() in row["body"]
            assert not used, f"position {row['position']} uses key {key}, which was destroyed when {head} was the last"


STRIKES: tuple[Strike, ...] = (Destroy(whole_people=False), Destroy(whole_people=True))
