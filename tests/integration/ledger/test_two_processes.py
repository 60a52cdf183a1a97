"""Two processes append at once, and nobody ever sees a position before the one below it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TypeAlias

import asyncpg
import orjson

from tests.support.ledgers import PostgresTrial

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

COMMANDS = 1_500


async def append_in_another_process(dsn: str, commands: int | str, callers: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.ledger.appender", dsn, str(commands), str(callers)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )


async def both_halves(writers: list[asyncio.subprocess.Process]) -> list[bytes]:
    """Let both begin, and begin their second half, at the same moment; return what each printed of its commands."""
    printed = [b"" for _ in writers]
    for _ in ("first half", "second half"):
        for number, writer in enumerate(writers):
            assert writer.stdout is not None
            while (line := await writer.stdout.readline()) != b"ready\n":
                assert line, "a writer ended before its time"
                printed[number] += line
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write(b"go\n")
            await writer.stdin.drain()
    rest = await asyncio.gather(*(writer.communicate() for writer in writers))
    return [first + second for first, (second, _) in zip(printed, rest, strict=True)]


async def tail(connection: Connection, stop: asyncio.Event) -> list[int]:
    """Read what is new as fast as the database answers, and once more after `stop`."""
    seen: list[int] = []
    last_round = False
    while not last_round:
        last_round = stop.is_set()
        rows = await connection.fetch(
            "select position from ledger.event where position > $1 order by position", seen[-1] if seen else 0
        )
        seen += [row["position"] for row in rows]
    return seen


async def look_everywhere(connection: Connection, stop: asyncio.Event) -> int:
    """Compare in one snapshot how many there are with the highest, again and again; answer the mismatches."""
    mismatches = 0
    while not stop.is_set():
        row = await connection.fetchrow("select count(*) as held, coalesce(max(position), 0) as head from ledger.event")
        assert row is not None
        mismatches += row["held"] != row["head"]
    return mismatches


async def test_no_reader_sees_a_position_before_the_one_below_it(trial: PostgresTrial, app_dsn: str) -> None:
    stop = asyncio.Event()
    connections = [await asyncpg.connect(app_dsn) for _ in range(3)]
    readers = [
        asyncio.create_task(tail(connections[0], stop)),
        asyncio.create_task(tail(connections[1], stop)),
    ]
    onlooker = asyncio.create_task(look_everywhere(connections[2], stop))

    writers = [await append_in_another_process(app_dsn, COMMANDS, 32) for _ in range(2)]
    printed = await both_halves(writers)
    stop.set()

    assert [writer.returncode for writer in writers] == [0, 0]
    told = {
        position: event_id
        for lines in printed
        for line in lines.splitlines()
        for position, event_id in orjson.loads(line)[1]
    }
    head = (await trial.ledger.head()).position
    everything = list(range(1, head + 1))
    assert [await reader for reader in readers] == [everything, everything]
    assert await onlooker == 0
    assert sorted(told) == everything
    rows = await trial.owner.fetch("select position, event_id from ledger.event")
    assert {row["position"]: str(row["event_id"]) for row in rows} == told
    times = [row["recorded_at"] for row in await trial.owner.fetch("select * from ledger.event order by position")]
    assert times == sorted(times)
    mine = [[place[0] for line in lines.splitlines() for place in orjson.loads(line)[1]] for lines in printed]
    assert max(map(min, mine)) < min(map(max, mine)), "the two did not append at once, so this showed nothing"
    for connection in connections:
        await connection.close()
