"""Somebody who may do everything rewrites the ledger while no relay is there to know."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from projections.sql import named_queries
from services.local.topics import EVENTS
from tests.faults.strikes import Strike
from tests.faults.strikes.processes import kill, nobody_brings_back
from tests.faults.strikes.records import last_of_ours, places
from tests.faults.world import SQL as WORLD
from tests.faults.world import World, until

SQL = named_queries("tests.faults.strikes", "rewriting.sql")

NOTICED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The event with which a partition ends gets another body; the relay that begins refuses to go on from it, and
    goes on by itself as soon as a person has put back what Kafka has."""

    name: str = "ledger_rewritten_at_a_tail"

    async def __call__(self, world: World, dice: random.Random, /) -> Mapping[str, object]:
        with nobody_brings_back(world):
            await kill(world, "relay-1", "relay-2")
            position = await _a_tail(world, dice)
            await _until_the_notary_has(world, position)
            body = bytes(await world.value(SQL["body"], position))
            await _rewrite(world, position, body.replace(b'"actual"', b'"exercise"', 1))

        async def halted() -> str:
            await world.stand_up()  # relays that died too often are started by a person
            (row,) = await world.rows(WORLD["halted"])
            return str(row["halted_because"] or "") if row["shut_because"] else ""

        because = await until("no relay halts and shuts the door", halted, NOTICED_SECONDS)
        assert "the ledger has another event there" in because, because
        await _rewrite(world, position, body)
        return {"position": position}


async def _until_the_notary_has(world: World, position: int) -> None:
    """What it has not read yet it would read as it is now: that only whoever compares with Kafka can know."""

    async def has_it() -> bool:
        return bool(await world.value(SQL["read_by_the_notary"], position))

    await until("the notary does not read what is on Kafka", has_it, NOTICED_SECONDS)


async def _a_tail(world: World, dice: random.Random) -> int:
    """The position with which some partition ends, as Kafka has it: a killed relay had not saved all that it sent."""
    everywhere = [at for at in await places(world) if at.topic == EVENTS]
    for at in dice.sample(everywhere, len(everywhere)):
        if (position := await asyncio.to_thread(last_of_ours, world.bootstrap, at)) is not None:
            return position
    raise AssertionError("no partition ends with an event, so none can be rewritten")


async def _rewrite(world: World, position: int, body: bytes) -> None:
    connection = await asyncpg.connect(world.dsn(), timeout=10)
    try:
        await connection.execute(SQL["freely"])
        done = await connection.execute(SQL["rewrite"], position, body)
        assert done == "UPDATE 1", done
    finally:
        await connection.close()


STRIKES: tuple[Strike, ...] = (Rewrite(),)
