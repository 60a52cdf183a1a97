"""The reading rule of our topics (design rule 3): each position once, in order, naming the one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from services.log.record import CONTENT_TYPE, decimal, read_link
from services.processors.errors import Halt


class Record(Protocol):
    """What both Kafka clients call a record."""

    @property
    def offset(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class ChainBroken(Halt):
    """A record does not continue its partition's chain: something is missing or the log has forked."""

    def __init__(self, partition: int, offset: int, position: int, previous: int, last: int) -> None:
        super().__init__(
            f"partition {partition}, offset {offset}: position {position} says that {previous} stands before it, and "
            f"{last} does: the log lacks something or has forked; see `intabaza relay status`"
        )


class Following(NamedTuple):
    """One record of ours that was not read before."""

    position: int
    offset: int
    wire: bytes


@dataclass(slots=True)
class Stretch:
    """What a fetched batch holds: what is above the last position, how many repeats, offsets of foreign records."""

    following: list[Following] = field(default_factory=list)
    repeats: int = 0
    foreign: list[int] = field(default_factory=list)


def read_chain(partition: int, records: Iterable[Record], last: int) -> Stretch:
    """Take what continues the chain after position `last`; raises ChainBroken.

    What is ours is judged by its headers alone, as the relay judges it: a record of ours without a value is no foreign
    one, it is unreadable.
    """
    stretch = Stretch()
    following = stretch.following
    before = ("previous", b"%d" % last)
    for record in records:
        headers = record.headers
        # Headers as our relay writes them, saying that this is the next one: then one number is left to read.
        if len(headers) == 3 and headers[2] == before and headers[0] == CONTENT_TYPE:
            name, text = headers[1]
            if name == "position" and (position := decimal(text)) is not None and position > last:
                last, before = position, ("previous", text)
                following.append(Following(last, record.offset, record.value or b""))
                continue
        link = read_link(headers)
        if link is None:
            stretch.foreign.append(record.offset)
        elif link.position <= last:
            stretch.repeats += 1
        elif link.previous != last:
            raise ChainBroken(partition, record.offset, link.position, link.previous, last)
        else:
            last = link.position
            before = ("previous", b"%d" % last)
            following.append(Following(last, record.offset, record.value or b""))
    return stretch
