"""The reading rule of our topics (design rule 3): each position once, in order, naming the one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Record(Protocol):
    """What both Kafka clients call a record."""

    @property
    def offset(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class ChainBroken(Exception):
    """A record does not continue its partition's chain: something is missing or the log has forked."""

    def __init__(self, partition: int, offset: int, position: int, previous: int, last: int) -> None:
        super().__init__(
            f"partition {partition}, offset {offset}: position {position} says that {previous} stands before it, and "
            f"{last} does: the log lacks something or has forked; see `intabaza relay status`"
        )


@dataclass(frozen=True, slots=True)
class Link:
    """One record of ours that was not read before."""

    position: int
    offset: int
    wire: bytes


@dataclass(slots=True)
class Stretch:
    """What a fetched batch holds: links above the last position, how many were repeats, offsets of foreign records."""

    links: list[Link] = field(default_factory=list)
    repeats: int = 0
    foreign: list[int] = field(default_factory=list)


def read_chain(partition: int, records: Iterable[Record], last: int) -> Stretch:
    """Take what continues the chain after position `last`; raises ChainBroken."""
    stretch = Stretch()
    links = stretch.links
    for record in records:
        position = previous = -1
        try:
            for name, value in record.headers:
                if name == "position":
                    position = int(value)
                elif name == "previous":
                    previous = int(value)
        except (ValueError, TypeError):
            position = -1
        wire = record.value
        if position < 1 or previous < 0 or wire is None:
            stretch.foreign.append(record.offset)
        elif position <= last:
            stretch.repeats += 1
        elif previous != last:
            raise ChainBroken(partition, record.offset, position, previous, last)
        else:
            last = position
            links.append(Link(position, record.offset, wire))
    return stretch
