"""What a record on a topic is, and whether it is one of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

EVENTS, ALERTS = "events.v1", "alerts.v1"
CONTENT_TYPE = b"application/cloudevents+json"
DECIMAL = re.compile(rb"0|[1-9][0-9]{0,18}")


@dataclass
class Record:
    """One record; `sender` is its producer by the broker's number, `batch` the offset at which its batch begins."""

    headers: list[tuple[str, bytes]]
    value: bytes
    offset: int
    sender: int
    batch: int

    @property
    def link(self) -> tuple[int, int] | None:
        """Position and the one before it, as the headers state them; None where they are not exactly ours."""
        stated = dict(self.headers)
        position, previous = stated.get("position") or b"", stated.get("previous") or b""
        if len(self.headers) != 3 or stated.get("content-type") != CONTENT_TYPE:
            return None
        if not DECIMAL.fullmatch(position) or not DECIMAL.fullmatch(previous) or int(previous) >= int(position):
            return None
        return int(position), int(previous)


Topics = dict[str, dict[int, list[Record]]]
"""By topic and partition, in order of offset."""
