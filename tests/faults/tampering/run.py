"""What a run in which nothing went wrong left behind, to be tampered with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from tests.faults.checker import history, judging
from tests.faults.checker.findings import Findings
from tests.faults.checker.ledger import Row
from tests.faults.checker.left import Left
from tests.faults.checker.records import Record

COMMANDS = 150


@dataclass
class Run(Left):
    """What it left behind, and how the program ended on it: once for each of `ENDINGS`."""

    exits: tuple[int, ...] = ()

    def found(self) -> dict[str, int]:
        """The codes of what is wrong with it, and how often."""
        return self.judged().counts

    def judged(self) -> Findings:
        found = Findings()
        judging.judge(self, found, faults=0, acknowledged=COMMANDS, least_webhooks=1)
        return found

    def index(self, wanted: Callable[[Row], bool]) -> int:
        """Where the last row of which this holds stands."""
        return max(at for at, row in enumerate(self.rows) if wanted(row))

    def last(self, of_type: str) -> int:
        """Where the last event of a type stands."""
        return self.index(lambda row: row.type == of_type)

    def change(self, of_type: str, **changes: Any) -> None:
        """Change columns of the last event of a type."""
        at = self.last(of_type)
        self.rows[at] = replace(self.rows[at], **changes)

    def retell(self, of_type: str, changes: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        """Change fields in the data of the last event of a type."""
        wire = self.rows[self.last(of_type)].wire
        self.change(of_type, wire={**wire, "data": {**wire["data"], **changes(wire["data"])}})

    def told(self) -> list[history.Sent]:
        """Commands that were told of events: a check-in that was accepted is held, and has none yet."""
        return [one for one in self.past.acknowledged if one.accepted[0]]

    def partition(self, topic: str = "events.v1") -> list[Record]:
        """The fullest partition of a topic, up to where the ledger was read: behind that nothing is judged."""
        records = max(self.topics[topic].values(), key=len)
        records[:] = [one for one in records if int(position_of(one)) <= self.rows[-1].position]
        return records

    def only_there(self) -> list[Record]:
        """Those records of the fullest partition whose events are in no other, as a tick is in each."""
        partitions = Counter(position_of(one) for records in self.topics["events.v1"].values() for one in records)
        return [one for one in self.partition() if partitions[position_of(one)] == 1]


def position_of(record: Record) -> bytes:
    """What its header says."""
    return dict(record.headers)["position"]


Tamperings: TypeAlias = tuple[tuple[Callable[[Run], None], str], ...]
"""What is done to a run, and the code of what the checker then finds."""
