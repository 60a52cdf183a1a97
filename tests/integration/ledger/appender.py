"""A process that appends: `python -m tests.integration.ledger.appender DSN COMMANDS CALLERS`.

Prints one line a command, the ids and positions that it was told, as JSON. `COMMANDS` is a command's id, or a number:
then it says `ready` before the first and before the second half and waits for a line, so that two surely overlap.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from uuid import UUID, uuid4

import orjson

from services import clock
from services.ledger.postgres import PostgresLedger
from tests.support.ledgers import note


async def main(dsn: str, commands: str, callers: int) -> None:
    ledger = await PostgresLedger.connect(dsn, clock.now)
    if commands.isdigit():
        half = int(commands) // 2
        parts = [[uuid4() for _ in range(half)], [uuid4() for _ in range(half)]]
    else:
        parts = [[UUID(commands)]]

    async def call(wanted: Iterator[UUID]) -> None:
        for number, command_id in enumerate(wanted):
            accepted = await ledger.append(note(f"test/{command_id}", count=1 + number % 3, command_id=command_id))
            told = [[place.position, place.event_id] for place in accepted.placed]
            print(orjson.dumps([command_id, told]).decode(), flush=True)

    for part in parts:
        if commands.isdigit():
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
        wanted = iter(part)
        await asyncio.gather(*(call(wanted) for _ in range(callers)))
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
