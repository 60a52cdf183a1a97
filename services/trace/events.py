"""An event of the ledger as it is traced: its row, and what it says in clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from events.level import LevelCause
from services.ledger.ledger import Recorded

LEVEL, OVERDUE, ESCALATED, ALERT = (
    "level.level_changed",
    "level.response_overdue",
    "level.response_escalated",
    "alert.issued",
)
RECEIVED, REFERRED, VIEWED = "report.received", "case.referred", "custody.record_viewed"
CHECKPOINT = "custody.log_checkpointed"
OF_MIDNIGHT = frozenset({LevelCause.FADING.value, LevelCause.ELECTION_WINDOW.value})
"""Causes of changes that may come before what is recorded at the very same moment."""

BY_NO_ACT = OF_MIDNIGHT | {LevelCause.COVERAGE.value}
"""Causes of changes of which nobody's act is named: time, and signs of life."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event. `moment` is when it held: of a derived one the moment that it speaks of, else when it was recorded."""

    row: Recorded
    data: Mapping[str, Any]
    causation: UUID | None = None

    @classmethod
    def of(cls, row: Recorded) -> Told:
        body = orjson.loads(row.body)
        causation = body.get("causationid")
        return cls(row, body["data"], UUID(causation) if causation else None)

    @property
    def token(self) -> str:
        """By what others rest on this event: a report by its stream, since all that is known of it is one message."""
        return self.row.stream if self.row.stream.startswith("report/") else str(self.row.event_id)

    @property
    def record_id(self) -> str:
        return self.row.stream.partition("/")[2]

    @property
    def moment(self) -> datetime:
        named = self.data.get("effective_at") if self.row.type == LEVEL else self.data.get("due")
        if self.row.type in (LEVEL, OVERDUE, ESCALATED) and isinstance(named, str):
            return datetime.fromisoformat(named)
        return self.row.recorded_at

    @property
    def order(self) -> tuple[datetime, int, int]:
        """The order in which events held: a midnight before what was recorded at it, an event before what it led to."""
        if self.row.type == LEVEL:
            return self.moment, -1 if self.data["cause"] in OF_MIDNIGHT else 1, self.row.position
        return self.moment, 1 if self.row.type in (OVERDUE, ESCALATED) else 0, self.row.position

    @property
    def cases(self) -> tuple[str, ...]:
        """The cases that a derived event names."""
        if self.row.type == LEVEL:
            return tuple(one["case_id"] for one in (*self.data["contributions"], *self.data.get("peace", ())))
        return (self.data["case_id"],) if self.row.type in (OVERDUE, ESCALATED) else ()
