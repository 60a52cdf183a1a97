"""Somebody who may do everything rewrites the ledger while no relay is there to know."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from projections.sql import named_queries
from tests.faults.strikes import Strike
from tests.faults.strikes.storage import kill, nobody_brings_back
from tests.faults.world import LOOK_SECONDS, World

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
            position = await world.value(SQL["tails"])
            body = bytes(await world.value(SQL["body"], position))
            await _rewrite(world, position, body.replace(b'"actual"', b'"exercise"', 1))
        async with asyncio.timeout(NOTICED_SECONDS):
            while True:
                (row,) = await world.rows(SQL["halted"])
                if row["halted_because"] and row["shut_because"]:
                    break
                await asyncio.sleep(LOOK_SECONDS)
        assert "the ledger has another event there" in row["halted_because"], row["halted_because"]
        await _rewrite(world, position, body)
        return {"position": position}


async def _rewrite(world: World, position: int, body: bytes) -> None:
    connection = await asyncpg.connect(world.dsn(), timeout=10)
    try:
        await connection.execute(SQL["freely"])
        done = await connection.execute(SQL["rewrite"], position, body)
        assert done == "UPDATE 1", done
    finally:
        await connection.close()


STRIKES: tuple[Strike, ...] = (Rewrite(),)
