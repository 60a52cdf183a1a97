"""What waits: the rows of the queue, and for whom each is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

WHOM: Mapping[str, str] = {
    "grading": "reviewer",
    "conclusion": "reviewer",
    "placing": "coordinator",
    "dating": "coordinator",
    "ratification": "reviewer",
    "assessment": "reviewer",
    "outcome_check": "coordinator",
}
"""What may wait → the role whose work it is. Placing: a report is unplaced. Dating: its clock is doubtful."""


class Waiting(NamedTuple):
    """One thing that waits. `subject` is a referral's id where several of a kind can wait in one stream."""

    stream: str
    what: str
    since: str
    home: str
    unit: str
    kind: str
    urgent: bool
    subject: str = ""
    due: str | None = None
    round: int | None = None
    grades: int | None = None
    agreeing: int | None = None
    graded_by: str = "{}"
    recused: str = "{}"

    def row(self) -> tuple[object, ...]:
        """Its values in the order of `write_waiting`."""
        return (*self, WHOM[self.what])

    @property
    def name(self) -> str:
        """What tells it from the other things that wait in its stream."""
        return f"{self.what}/{self.subject}"
