"""A process that appends: `python -m tests.integration.ledger.appender DSN COMMANDS CALLERS`.

Prints one line a command, the ids and positions that it was told, as JSON. With `COMMANDS` a command's id, it appends
that one command alone, after saying so.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID, uuid4

import orjson

from services import clock
from services.ledger.postgres import PostgresLedger
from tests.support.ledgers import note


async def main(dsn: str, commands: str, callers: int) -> None:
    ledger = await PostgresLedger.connect(dsn, clock.now)
    wanted = iter([uuid4() for _ in range(int(commands))] if commands.isdigit() else [UUID(commands)])

    async def call() -> None:
        for number, command_id in enumerate(wanted):
            accepted = await ledger.append(note(f"test/{command_id}", count=1 + number % 3, command_id=command_id))
            told = [[place.position, place.event_id] for place in accepted.placed]
            print(orjson.dumps([command_id, told]).decode(), flush=True)

    await asyncio.gather(*(call() for _ in range(callers)))
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
