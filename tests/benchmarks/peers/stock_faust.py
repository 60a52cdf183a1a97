"""A Faust agent as the documentation has it: `noack_take`, one message after the other out of the stream's buffer."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import faust

from services.local.topics import EVENTS
from tests.benchmarks.peers.folding import Folding, Record, Task

TAKEN, WITHIN = 500, 0.5


def main() -> None:
    task = Task.read()
    app = faust.App(
        f"stock-faust-{task.dsn.rpartition('/')[2].partition('?')[0]}",
        broker=f"kafka://{task.bootstrap}",
        datadir=tempfile.mkdtemp(),
        store="memory://",
        value_serializer="raw",
        key_serializer="raw",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=16_384,
        stream_wait_empty=False,
        broker_max_poll_records=5_000,
    )
    topic = app.topic(EVENTS, key_type=bytes, value_type=bytes, value_serializer="raw")

    @app.agent(topic)
    async def fold(stream: Any) -> None:
        folding = await Folding.begin(task)
        async for events in stream.noack_take(TAKEN, within=WITHIN):
            messages = [event.message for event in events]
            await folding.take([Record(one.partition, one.offset, one.value) for one in messages])

    sys.argv = [sys.argv[0]]
    faust.Worker(app, loglevel="WARN", quiet=True, redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
