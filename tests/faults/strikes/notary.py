"""The notary is killed, ended and frozen while it signs, a second one signs beside it, the log gets a new key, nothing
comes to Kafka for some time, and the ledger is altered under what was signed."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from projections.sql import named_queries
from services.database.lead import LEASE_SECONDS
from tests.faults.strikes import Strike
from tests.faults.strikes.processes import End, Freeze, kill, nobody_brings_back
from tests.faults.strikes.records import last_of_ours, places
from tests.faults.strikes.rewriting import SQL as REWRITING
from tests.faults.strikes.workers import FIRST, OneMoreLeader
from tests.faults.world import World, until

SQL = named_queries("tests.faults.strikes", "notary.sql")

COME_SECONDS = 60.0
LEAST_SECONDS, MOST_SECONDS = 2.0, 4.0
"""More than one checkpoint is due in that time."""
UNSENT_AT_LEAST = 20
"""So many events more than Kafka has: by then a notary that looked at the ledger alone would have signed some."""


@dataclass(frozen=True, slots=True)
class NothingIsSent:
    """Both relays are away while the ledger grows: what Kafka does not have nobody signs."""

    name: str = "notary_while_nothing_is_sent"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        with nobody_brings_back(world):
            await kill(world, "relay-1", "relay-2")
            ends = [await asyncio.to_thread(last_of_ours, world.bootstrap, at) for at in await places(world)]
            kafka_has = max(one or 0 for one in ends)

            async def grew() -> bool:
                return await world.head() >= kafka_has + UNSENT_AT_LEAST

            await until("the ledger does not grow", grew, COME_SECONDS)
            await asyncio.sleep(dice.uniform(LEAST_SECONDS, MOST_SECONDS))  # it is tempted for so long
            return {"unsent": [kafka_has, await world.head()]}


@dataclass(frozen=True, slots=True)
class NewKey:
    """Somebody makes a new key for the log, and perhaps kills the notary before it has signed anything by it."""

    name: str = "notary_gets_a_new_key"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        added = (await world.command("log-keys", "add")).split()
        if killed := dice.random() < 0.5:
            await End("notary", signal.SIGKILL)(world, dice)
        return {"log_keys": added, "killed": killed}


@dataclass(frozen=True, slots=True)
class Altered:
    """Somebody who may do everything alters an old event and throws the tree away: who makes it anew signs nothing,
    says so, and goes on once the event was put back and a person asks for it."""

    name: str = "notary_finds_an_altered_ledger"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        with nobody_brings_back(world):
            await kill(world, "notary")
            halts_after = await world.head()
            position = dice.choice([row["position"] for row in await world.rows(SQL["signed_and_read_by_nobody"])])
            body = bytes(await world.value(REWRITING["body"], position))
            await _without_the_tree(world, position, body.replace(b'"actual"', b'"exercise"', 1))
        because = await until("no notary halts", lambda: world.value(SQL["halted"]), COME_SECONDS)
        assert "has another root than the ledger's first" in because, because
        await asyncio.sleep(dice.uniform(LEAST_SECONDS, MOST_SECONDS))  # it is tempted for so long
        until_position = await world.head()
        await _without_the_tree(world, position, body)
        await world.restart("notary")
        return {"position": position, "signs_nothing": [halts_after, until_position]}


async def _without_the_tree(world: World, position: int, body: bytes) -> None:
    """Other bytes at a position, and of the tree nothing."""
    connection = await asyncpg.connect(world.dsn(), timeout=10)
    try:
        async with connection.transaction():
            await connection.execute(REWRITING["freely"])
            await connection.execute(REWRITING["rewrite"], position, body)
            await connection.execute(SQL["no_tiles"])
            await connection.execute(SQL["no_tree"])
    finally:
        await connection.close()


STRIKES: tuple[Strike, ...] = (
    End("notary", signal.SIGKILL),
    End("notary", signal.SIGTERM),
    Freeze("notary", 1.0, 3.0),
    Freeze("notary", LEASE_SECONDS + 1.0, LEASE_SECONDS + 3.0, "_past_its_lease"),
    *(
        OneMoreLeader("notary", "notary", SQL["notaries"], SQL["leader_port"], first, most_seconds=MOST_SECONDS)
        for first in FIRST
    ),
    NothingIsSent(),
    NewKey(),
    Altered(),
)
