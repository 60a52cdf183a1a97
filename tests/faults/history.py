"""The history file: what was sent, what was answered, what was done to the stack, in the order in which it happened.

One JSON object a line, written before a request leaves and as its answer comes, so that it stays true when whoever
writes it is killed. Who judges it reads it with a reader of their own.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import orjson

Outcome = Literal["accepted", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Command:
    """One command: who sends it in which role, where to, under which key, with what."""

    n: int
    person: str
    role: str
    path: str
    key: str
    body: Mapping[str, Any]
    if_match: str | None = None


class History:
    """Writes one run's file and counts along."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.outcomes: Counter[str] = Counter()
        self.acknowledged = 0
        self.repeats = 0
        self.faults: list[str] = []
        self._accepted: set[int] = set()
        self._lines = file.open("ab")

    def begins(self, seed: int, ledger_head: int, **more: object) -> None:
        """Everything up to this head was sent by whoever set the stack up."""
        self._write("begins", seed=seed, ledger_head=ledger_head, **more)

    def subscribed(self, to: str, subscriber_id: str, secret: str, **filters: object) -> None:
        """Somebody is told of alerts by webhook, signed by this; what comes to them is written here by the receiver."""
        self._write("subscribed", to=to, subscriber_id=subscriber_id, secret=secret, **filters)

    def sent(self, command: Command, attempt: int) -> None:
        """Before it leaves."""
        self._write(
            "sent",
            n=command.n,
            attempt=attempt,
            person=command.person,
            role=command.role,
            method="POST",
            path=command.path,
            key=command.key,
            body=command.body,
            if_match=command.if_match,
        )

    def answered(
        self,
        command: Command,
        attempt: int,
        outcome: Outcome,
        *,
        status: int | None = None,
        repeated: bool | None = None,
        events: Sequence[Mapping[str, Any]] = (),
        problem: str | None = None,
        held_until: str | None = None,
    ) -> None:
        """As the answer comes, or as it is clear that none will."""
        self.outcomes[outcome] += 1
        if outcome == "accepted":
            self.repeats += command.n in self._accepted
            self._accepted.add(command.n)
            self.acknowledged = len(self._accepted)
        self._write(
            "answered",
            n=command.n,
            attempt=attempt,
            outcome=outcome,
            status=status,
            repeated=repeated,
            events=events,
            problem=problem,
            held_until=held_until,
        )

    def fault(self, name: str, acknowledged: int) -> None:
        """Before it strikes; everything up to `acknowledged` is on Kafka, so no relay has it on its way any more."""
        self.faults.append(name)
        self._write("fault", name=name, acknowledged=acknowledged)

    def mended(self, name: str, detail: Mapping[str, object]) -> None:
        """What it did and what was done after it; records that it put on a topic stand under `put`, each as topic,
        partition and the position that it repeats, or null for one that is not ours."""
        self._write("mended", name=name, detail=detail)

    def well(self, ledger_head: int, through: int) -> None:
        """What was accepted came through: nothing up to here is on its way any more; up to `through` it is signed."""
        self._write("well", ledger_head=ledger_head, through=through)

    def operator(self, events: Sequence[Mapping[str, Any]], did: str) -> None:
        """What somebody who tends the stack wrote into the ledger by a command of ours."""
        self._write("operator", events=events, did=did)

    def ends(self, ledger_head: int, through: int, now: datetime) -> None:
        """`through` is as when all was well; `now` is the time of day by which the stack goes."""
        counts = {"faults": len(self.faults), "accepted": self.acknowledged}
        self._write("ends", ledger_head=ledger_head, through=through, now=now.isoformat(), **counts)

    def close(self) -> None:
        self._lines.close()

    def _write(self, what: str, **fields: object) -> None:
        line = {"what": what, "at": round(time.monotonic(), 6), **fields}
        self._lines.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._lines.flush()
