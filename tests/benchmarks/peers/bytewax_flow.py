"""Bytewax with a batched partition as its sink: what one poll of Kafka brought is one transaction."""

from __future__ import annotations

import asyncio
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import cluster_main

from tests.benchmarks.peers.folding import Folding, Record, Task

TOPIC = "events.v1"
POLLED = 2_000
"""Messages of one poll of one partition."""


class FoldingPartition(StatelessSinkPartition[Any]):  # type: ignore[misc]
    """Folds what one poll brought."""

    def __init__(self, task: Task) -> None:
        self._loop = asyncio.new_event_loop()
        self._folding = self._loop.run_until_complete(Folding.begin(task))

    def write_batch(self, items: list[Any]) -> None:
        records = [Record(item.partition, item.offset, item.value) for item in items]
        self._loop.run_until_complete(self._folding.take(records))


class FoldingSink(DynamicSink[Any]):  # type: ignore[misc]
    """One worker, so one partition of the sink."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def build(self, step_id: str, worker_index: int, worker_count: int) -> FoldingPartition:
        return FoldingPartition(self._task)


def main() -> None:
    task = Task.read()
    flow = Dataflow("peers")
    source = KafkaSource([task.bootstrap], [TOPIC], tail=False, batch_size=POLLED)
    op.output("fold", op.input("events", flow, source), FoldingSink(task))
    cluster_main(flow, [], 0)


if __name__ == "__main__":
    main()
