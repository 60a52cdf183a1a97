"""What is announced of silences: that each began, and that it is over once somebody ended it or its time was over.

Time is over for those who listen where the log says so: at an event that goes to everybody, and at any about silences
of the unit, also at the one that begins it: where a clock is set it may be recorded when its time is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.faults.checker.facts import Told
from tests.faults.checker.findings import Findings
from tests.faults.checker.identity import named
from tests.faults.checker.ledger import EVERYWHERE, Row
from tests.faults.checker.levels import told_by

BEGUN, ENDED, ANNOUNCED = "alert.silenced", "alert.silence_ended", "alert.silence_announced"
ENGINE = 1
NOT_TOLD = {"reason", "note"}
"""Why is for people of the network alone."""


class Announced(NamedTuple):
    """An announcement that has to be there."""

    stream: str
    home: str
    engine: int
    data: dict[str, Any]


class Silences:
    """What follows from the log so far: `said`, by the ids of the events."""

    def __init__(self) -> None:
        self.said: dict[str, Announced] = {}
        self._standing: dict[str, Told] = {}

    def take(self, event: Told) -> None:
        """One event more; what is exercised leaves nobody in peace."""
        of_silences = event.type in (BEGUN, ENDED) and event.mode == "actual"
        if of_silences:
            silence_id = event.data["silence_id"]
            if event.type == BEGUN:
                self._standing[silence_id] = event
                self._say(silence_id, event, "begins")
            elif silence_id in self._standing:
                self._end(silence_id)
        if event.home == EVERYWHERE or of_silences:
            for silence_id, one in list(self._standing.items()):
                its_time_is_over = one.data["until"] <= event.time
                if its_time_is_over and (event.home == EVERYWHERE or one.stream == event.stream):
                    self._end(silence_id)

    def _end(self, silence_id: str) -> None:
        self._say(silence_id, self._standing.pop(silence_id), "ends")

    def _say(self, silence_id: str, begun: Told, standing: str) -> None:
        data = {name: value for name, value in begun.data.items() if name not in NOT_TOLD}
        said = Announced(begun.stream, begun.home, ENGINE, data | {"standing": standing})
        self.said[named(f"silence/{silence_id}/{standing}")] = said


def judge(folded: Iterable[Row], rows: Sequence[Row], found: Findings) -> None:
    """Everything that follows from the log is announced once, and nothing else of the kind."""
    silences = Silences()
    for event in told_by(folded):
        silences.take(event)
    wanted = silences.said
    there = {row.event_id: row for row in rows if row.type == ANNOUNCED}
    for event_id in wanted.keys() - there.keys():
        found.add("silence_not_announced", f"{wanted[event_id]} follows and is not told.")
    for event_id, row in there.items():
        told = Announced(row.stream, row.home, row.wire.get("engine", 0), row.wire["data"])
        if event_id not in wanted:
            found.add("silence_of_nothing", f"{told} does not follow.", row.position)
        elif told != wanted[event_id]:
            sentence = f"{told} is told, and computed anew it is {wanted[event_id]}."
            found.add("silence_differs", sentence, row.position)
