"""Quix Streams with a sink of its own: a batch a partition and checkpoint, one transaction a batch."""

from __future__ import annotations

import asyncio
import tempfile

from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch

from tests.benchmarks.peers.folding import Folding, Record, Task

TOPIC = "events.v1"
CHECKPOINT = 20_000
"""Messages of all twelve partitions between two checkpoints: of 2,000 to 50,000 the fastest here."""


class FoldingSink(BatchingSink):  # type: ignore[misc]
    """Folds each partition's batch as the checkpoint hands it over."""

    def __init__(self, loop: asyncio.AbstractEventLoop, folding: Folding) -> None:
        super().__init__()
        self._loop = loop
        self._folding = folding

    def write(self, batch: SinkBatch) -> None:
        records = [Record(batch.partition, item.offset, item.value) for item in batch]
        self._loop.run_until_complete(self._folding.take(records))


def main() -> None:
    task = Task.read()
    loop = asyncio.new_event_loop()
    folding = loop.run_until_complete(Folding.begin(task))
    app = Application(
        broker_address=task.bootstrap,
        consumer_group=f"quix-{task.dsn.rpartition('/')[2].partition('?')[0]}",
        auto_offset_reset="earliest",
        commit_every=CHECKPOINT,
        commit_interval=1.0,
        state_dir=tempfile.mkdtemp(),
        auto_create_topics=False,
        loglevel="WARNING",
    )
    topic = app.topic(TOPIC, key_deserializer="bytes", value_deserializer="bytes")
    app.dataframe(topic).sink(FoldingSink(loop, folding))
    app.run(count=task.records, timeout=30)


if __name__ == "__main__":
    main()
