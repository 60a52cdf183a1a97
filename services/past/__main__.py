"""`python -m services.past`: lets projections stand as of moments that are asked for in lines on stdin, until its end.

A line is JSON: `{"projection": …, "position": …, "end": …}`; up to `end` everything is on Kafka. For each, in turn,
lines come on stdout: how far it is (`{"done": …, "of": …}`), and in the end `{"place": …}`, or `{"failed": …}` with a
sentence. While there are none, what was asked about comes to stand at round positions up to that end.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from typing import Any

import orjson
import structlog
from kafka.errors import KafkaError

from projections.live import LIVE
from projections.projection import Projection
from services.database.lost import LOST
from services.local.addresses import find_addresses
from services.local.topics import EVENTS
from services.local_problem import LocalProblem
from services.past.standing import Standing, standing
from services.processors.collecting import collect_rarely
from services.processors.errors import Again, Halt, named
from services.settings import Settings, SettingsRefused, read_settings
from services.telemetry import log_as_json

SILENT = ("kafka",)
TOLD = (LocalProblem, Again, Halt, KafkaError, MemoryError, *LOST)
"""What one word or sentence tells; anything else is a fault of ours, whose traceback goes to the log too."""

ANSWERS = os.dup(sys.stdout.fileno())
"""Where answers go: what anything else prints goes to the log, which whoever asks keeps."""

_log = structlog.get_logger("services.past")


def say(**what: Any) -> None:
    """One line to whoever asks."""
    os.write(ANSWERS, orjson.dumps(what) + b"\n")


async def main(settings: Settings) -> None:
    """Answer line by line; who asks is gone when there are no more, and nobody waits for what is being folded."""
    addresses = find_addresses(settings)
    asked: asyncio.Queue[bytes] = asyncio.Queue()
    answering = asyncio.Event()  # of what is folded beforehand nobody reads
    reading = asyncio.create_task(_read(asked))
    # A read that waits is no reason to stay: the process ends with who asks.
    reading.add_done_callback(lambda _: os._exit(0))
    async with standing(
        addresses.projector_dsn,
        addresses.bootstrap,
        EVENTS,
        os.cpu_count() or 1,
        lambda done, of: say(done=done, of=of) if answering.is_set() else None,
        settings.api_as_of_disk_mb * 1024 * 1024 or None,
    ) as places:
        begun: dict[str, tuple[Projection[Any, Any], int]] = {}
        while True:
            wanted = orjson.loads(await asked.get())
            projection = next(one for one in LIVE if one.name == wanted["projection"])
            answering.set()
            await _answer(places, projection, wanted["position"])
            answering.clear()
            begun[projection.name] = projection, wanted["end"]
            for one, end in (*begun.values(),):
                if await stands_throughout(places, one, end, asked):
                    del begun[one.name]


async def stands_throughout(
    places: Standing, projection: Projection[Any, Any], end: int, asked: asyncio.Queue[bytes]
) -> bool:
    """While nobody asks, let a projection stand at round positions up to a position up to which everything is on Kafka,
    so that every later question is near to one; whether it does, as far as there is room."""
    try:
        while asked.empty():
            if not await places.go_on(projection, end):
                return True
    except Exception as error:
        unknown = None if isinstance(error, TOLD) else error
        _log.warning("a_moment_is_not_folded_beforehand", because=named(error), exc_info=unknown)
    return False


async def _read(asked: asyncio.Queue[bytes]) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    while line := await reader.readline():
        await asked.put(line)


async def _answer(places: Standing, projection: Projection[Any, Any], position: int) -> None:
    try:
        say(place=await places.stand(projection, position))
    except Exception as error:
        if not isinstance(error, TOLD):
            _log.error("a_moment_is_not_folded", exc_info=error)
        say(failed=named(error))


if __name__ == "__main__":
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    log_as_json(SILENT)
    try:
        chosen = read_settings()
        if limit := chosen.api_as_of_memory_mb * 1024 * 1024:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        collect_rarely()
        asyncio.run(main(chosen))
    except (LocalProblem, SettingsRefused, *LOST) as problem:
        say(failed=named(problem) if isinstance(problem, LOST) else str(problem))
        sys.exit(1)
