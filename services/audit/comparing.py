"""A stretch of positions at a time: the same leaf everywhere, times that do not go back, and the tree over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import repeat
from pathlib import Path

from services.audit.findings import Bad
from services.audit.slots import ALERT, EVERYWHERE, NOTHING, read_slots

LEVEL = 14
STRETCH = 1 << LEVEL
"""Positions that are compared at a time; a whole subtree of the log's."""

EMPTY = bytes(32)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What to compare from `first` on: slots of Kafka's partitions, and the ledger's leaves where they were read."""

    first: int
    count: int
    slots: tuple[Path, ...]
    ledger: Path | None
    partitions: int
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """The first bad position, the first and last time, and the peaks of the tree's part at its end and at `sizes`.

    Peaks are roots of whole subtrees, the largest first.
    """

    bad: Bad | None
    begins: bytes
    ends: bytes
    peaks: tuple[bytes, ...]
    peaks_at: tuple[tuple[bytes, ...], ...]


def compare(stretch: Stretch) -> Compared:
    """Compare one stretch; a position of it that is on no partition ends its tree."""
    bad: Bad | None = None
    leaves, moment, begins = [], b"", b""
    expected = ledger_leaves(stretch.ledger, stretch.first, stretch.count) if stretch.ledger else repeat(None)
    slots = [read_slots(path, stretch.first, stretch.count) for path in stretch.slots]
    everywhere, previous = stretch.partitions, b""
    for position, (found, ledger) in enumerate(zip(zip(*slots, strict=True), expected, strict=False), stretch.first):
        leaf, moment, flags, copies, alerts = found[0]
        for other in found[1:]:
            if other[3] or other[4]:
                if (copies or alerts) and other[0] != leaf:
                    bad = bad or Bad(position, "partitions of Kafka hold different bytes")
                leaf, moment, flags = other[0], other[1], other[2] | flags
                copies, alerts = copies + other[3], alerts + other[4]
        due = everywhere if flags & EVERYWHERE else 1
        if bad is None and (copies != due or alerts != flags >> 1 or leaf != ledger or moment < previous):
            bad = _judge(position, (leaf, copies, due, alerts, flags), ledger, moment < previous)
        leaves.append(leaf)
        begins, previous = begins or moment, moment
    levels = _levels(leaves)
    return Compared(
        bad, begins, previous, _peaks(levels, len(leaves)),
        tuple(_peaks(levels, size - stretch.first + 1) for size in stretch.sizes),
    )  # fmt: skip


def _judge(position: int, found: tuple[bytes, int, int, int, int], ledger: bytes | None, backdated: bool) -> Bad | None:
    """What is wrong with a position, most telling first; nothing where only the ledger was not asked."""
    leaf, copies, due, alerts, flags = found
    if not copies:
        return Bad(position, "no partition of the events holds it", unsent=True)
    if ledger is not None and leaf != ledger:
        return Bad(position, "the ledger lacks it" if ledger == EMPTY else "ledger and Kafka hold different bytes")
    if copies != due:
        return Bad(position, f"{copies} partitions of the events hold it, and it belongs into {due}", copies < due)
    if alerts != flags >> 1:
        belongs = (flags & ALERT) >> 1
        return Bad(position, f"{alerts} partitions of the alerts hold it, and it belongs into {belongs}", not alerts)
    return Bad(position, "its time lies before that of the position before it: it was backdated") if backdated else None


def ledger_leaves(path: Path, first: int, count: int) -> Iterator[bytes]:
    """So many leaves from a position on; zeros where the file ends."""
    with path.open("rb") as file:
        file.seek(32 * (first - 1))
        content = file.read(32 * count).ljust(32 * count, b"\0")
    return (content[at : at + 32] for at in range(0, 32 * count, 32))


def slot_leaves(paths: Sequence[Path], first: int, count: int) -> Iterator[bytes]:
    """The leaves of a stretch by what Kafka holds."""
    for found in zip(*(read_slots(path, first, count) for path in paths), strict=True):
        yield next((slot[0] for slot in found if slot[3] or slot[4]), NOTHING.leaf)


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """Whole subtrees by their height, in order."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = iter(levels[-1])
        levels.append([sha256(b"\x01" + left + right).digest() for left, right in zip(below, below, strict=False)])
    return levels


def _peaks(levels: list[list[bytes]], size: int) -> tuple[bytes, ...]:
    """The roots of whole subtrees that the first `size` leaves consist of."""
    found, done = [], 0
    for height in reversed(range(len(levels))):
        if size >> height & 1:
            found.append(levels[height][done >> height])
            done += 1 << height
    return tuple(found)


class Roots:
    """The roots of a log, as stretches come in order."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []

    def at(self, peaks: Sequence[bytes]) -> bytes:
        """The root at a size inside the next stretch, or at its end, by the peaks of its part."""
        every = [*(peak for _, peak in self._peaks), *peaks]
        root = every.pop() if every else sha256().digest()
        while every:
            root = sha256(b"\x01" + every.pop() + root).digest()
        return root

    def add(self, subtree: bytes) -> None:
        """A whole stretch."""
        height = LEVEL
        while self._peaks and self._peaks[-1][0] == height:
            subtree = sha256(b"\x01" + self._peaks.pop()[1] + subtree).digest()
            height += 1
        self._peaks.append((height, subtree))


def root_of(leaves: Iterator[bytes]) -> bytes:
    """The root over some leaves, in order."""
    roots, stretch = Roots(), list[bytes]()
    for leaf in leaves:
        stretch.append(leaf)
        if len(stretch) == STRETCH:
            roots.add(_levels(stretch)[-1][0])
            stretch = []
    return roots.at(_peaks(_levels(stretch), len(stretch)))
