"""What a record of ours looks like on Kafka: three headers, the home as its key, the event's wire form as its value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CONTENT_TYPE = ("content-type", b"application/cloudevents+json")

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Link:
    """A record's place in its partition's chain: its position, and the position before it there (0: none)."""

    position: int
    previous: int

    def headers(self) -> Headers:
        """The headers that say so, in decimal ASCII."""
        return [CONTENT_TYPE, ("position", b"%d" % self.position), ("previous", b"%d" % self.previous)]


def read_link(headers: Sequence[tuple[str, bytes]]) -> Link | None:
    """The link that a record's headers state; None where they are not exactly ours: the record is foreign."""
    if len(headers) != 3:
        return None
    stated = dict(headers)
    position, previous = decimal(stated.get("position")), decimal(stated.get("previous"))
    if position is None or previous is None or not previous < position or stated.get("content-type") != CONTENT_TYPE[1]:
        return None
    return Link(position, previous)


def decimal(text: bytes | None) -> int | None:
    """A number as these headers spell it: ASCII digits, at most 19, no zero in front; None for anything else."""
    if not text or len(text) > 19 or not text.isdigit() or (text[:1] == b"0" and text != b"0"):
        return None
    return int(text)
