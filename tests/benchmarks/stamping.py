"""`python -m tests.benchmarks.stamping FILE services.relay`: a process of ours that writes down how far each stage is.

A line is a stage, a moment of `time.perf_counter`, a partition (-1 for all) and the last position that is through.
"""

from __future__ import annotations

import runpy
import sys
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from services.ledger.postgres import PostgresLedger
from services.processors.delivery import BatchConsumer
from services.processors.lane import Lane
from services.processors.store import Store
from services.relay.leader import Leadership
from services.relay.sender import Sender

ALL = -1

Through: TypeAlias = Iterable[tuple[int, int]]
"""Partitions and the last position in each."""


def _position(records: Any) -> int:
    return int(dict(records[-1].headers).get("position", 0))


def _committed(arguments: tuple[Any, ...], _: Any = None) -> Through:
    _, partition, _, moves = arguments
    return [(partition, max(move.to_position for move in moves))]


AFTER: dict[str, tuple[type, str, Callable[[tuple[Any, ...], Any], Through]]] = {
    "read by the relay": (
        PostgresLedger,
        "read",
        lambda _, rows: [(ALL, rows[-1].position)] if rows else [],
    ),
    "acknowledged by Kafka": (Sender, "send", lambda arguments, _: [(ALL, arguments[1].through)]),
    "saved as acknowledged": (Leadership, "save", lambda arguments, _: [(ALL, arguments[3])]),
    "committed": (Store, "commit", _committed),
}
BEFORE: dict[str, tuple[type, str, Callable[[tuple[Any, ...]], Through]]] = {
    "fetched by the processor": (
        BatchConsumer,
        "_offer",
        lambda arguments: [(at.partition, _position(records)) for at, records in arguments[1].items()],
    ),
    "its partition's turn": (Lane, "offer", lambda arguments: [(arguments[0].partition, _position(arguments[1]))]),
    "folded": (Store, "commit", _committed),
}
STAGES = (
    "read by the relay",
    "acknowledged by Kafka",
    "saved as acknowledged",
    "fetched by the processor",
    "its partition's turn",
    "folded",
    "committed",
)


class Stamps:
    """When each position was through each stage."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._at: dict[tuple[str, int], list[tuple[int, float]]] = defaultdict(list)
        for file in files:
            for line in file.read_text().splitlines():
                stage, moment, partition, through = line.split("\t")
                seen = self._at[stage, int(partition)]
                if not seen or int(through) > seen[-1][0]:
                    seen.append((int(through), float(moment)))

    def when(self, stage: str, position: int, partition: int) -> float:
        """When this position of this partition was through."""
        seen = self._at[stage, ALL if (stage, ALL) in self._at else partition]
        return seen[bisect_left(seen, (position, 0.0))][1]


def _stamp(file: TextIO) -> None:
    def say(stage: str, through: Through) -> None:
        now = time.perf_counter()
        file.writelines(f"{stage}\t{now}\t{partition}\t{position}\n" for partition, position in through)

    for name in {(kind, method) for kind, method, _ in (*AFTER.values(), *BEFORE.values())}:
        _wrap(*name, say)


def _wrap(kind: type, method: str, say: Callable[[str, Through], None]) -> None:
    stamped = getattr(kind, method)
    before = [(stage, of) for stage, (its, name, of) in BEFORE.items() if (its, name) == (kind, method)]
    after = [(stage, told) for stage, (its, name, told) in AFTER.items() if (its, name) == (kind, method)]

    @wraps(stamped)
    async def wrapped(*arguments: Any, **named: Any) -> Any:
        for stage, of in before:
            say(stage, of(arguments))
        answer = await stamped(*arguments, **named)
        for stage, told in after:
            say(stage, told(arguments, answer))
        return answer

    setattr(kind, method, wrapped)


if __name__ == "__main__":
    _, path, module = sys.argv
    with Path(path).open("a", buffering=1) as stamps:
        _stamp(stamps)
        runpy.run_module(module, run_name="__main__")
