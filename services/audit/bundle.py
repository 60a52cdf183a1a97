"""A bundle for auditors: events as they are on Kafka, what was signed of them, and the file that verifies it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Self

import orjson
from kafka import TopicPartition

from services.audit.in_order import SENDING, Broken, Standing, in_order, partitions_of
from services.audit.zipping import LINES_EACH, Parts, PartsBeside, Zip, manifest_of
from services.ledger.ledger import Ledger
from services.local.topics import ALERTS, EVENTS
from services.tlog.merkle import HASH_BYTES
from services.tlog.offline.verify import ALTERED, BEYOND, CHECKPOINTED, UNPROVEN, Verdict, read_checkpoints
from services.tlog.tiles import WIDTH

SHIPPED = {"verify.py": "verify.py", "README.txt": "README.txt"}
NAME = b'"type":"%s"' % CHECKPOINTED.encode()

Progress = Callable[[int, int], None]
Cosigned = Mapping[int, str]
"""By the sizes of checkpoints the lines by which witnesses cosigned them: no event holds those, as they come later."""

NOTHING: Cosigned = MappingProxyType({})

Leaves = Callable[[int, int], Awaitable[bytes | None]]
"""The first so many hashes of the tile of a number, at the foot of the tree; None where it lacks them."""

Opened = Callable[[], AbstractAsyncContextManager[Leaves]]
"""Opens the tree for as long as its leaves are asked for."""

TILES_EACH = 1_000
"""So many tiles of leaves make a file of a bundle: 8 MB."""

NOTES_EACH = 50_000
"""So many checkpoints make a file of a bundle: a month of one a minute, 20 MB with some witnesses."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What a bundle holds: positions 1 to `size`, and how many checkpoints of them."""

    origin: str
    size: int
    checkpoints: int


class Packing:
    """A bundle being written, under a temporary name until it is whole."""

    def __init__(self, path: Path, keys: Sequence[str] = (), cosigned: Cosigned = NOTHING) -> None:
        self._zip, self._keys, self._cosigned = Zip(path), keys, cosigned
        self._notes: list[tuple[int, str]] = []
        self._origin = ""
        self._events = Parts("events", "jsonl")
        self.size = 0

    def __enter__(self) -> Self:
        self._zip.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._events.abandon()
        self._zip.__exit__(kind, error, at)

    def event(self, wire: bytes) -> None:
        """The next event."""
        self.size += 1
        if self._events.is_full(len(wire)):
            self._close_events()
        if self._events.file is None:
            self._events.begin(self._zip.open(self._events.next_name()))
        self._events.write(wire + b"\n")
        if NAME in wire:
            self._note(wire)

    def _note(self, wire: bytes) -> None:
        """Keep the checkpoint that an event records; raises Verdict where it records none."""
        try:
            event = orjson.loads(wire)
            if event["type"] == CHECKPOINTED:
                [stated] = read_checkpoints(event["data"]["note"], "the log", ALTERED)
                self._notes.append((stated.size, event["data"]["note"]))
                self._origin = stated.origin
        except (ValueError, KeyError, TypeError, Verdict):
            raise Verdict(
                ALTERED,
                f"No bundle was made. Position {self.size} records what is no checkpoint: see `intabaza audit verify`.",
            ) from None

    async def leaves(self, tile: Leaves) -> None:
        """Of all that was signed, what its leaves were when that was done: where an event was changed since, they tell
        which one. They stand in the tree, and prove nothing; of a tree that is being built anew there are none."""
        self._close_events()
        size = self._notes[-1][0] if self._notes else 0
        part = bytearray()
        for number in range(-(-size // WIDTH)):
            found = await tile(number, min(WIDTH, size - number * WIDTH))
            if found is None:
                return
            part += found
            if len(part) == TILES_EACH * WIDTH * HASH_BYTES or (number + 1) * WIDTH >= size:
                self._zip.add(f"leaves/{number // TILES_EACH + 1:06}.bin", bytes(part))
                part.clear()

    def beside(self, name: str) -> IO[bytes]:
        """A file that is written at the same time as the events; `finish` takes it in."""
        return self._zip.beside(name)

    def finish(self) -> Packed:
        """Make it whole and give it its name."""
        self._close_events()
        notes = [note + self._cosigned.get(size, "") for size, note in self._notes]
        self._zip.add("checkpoints.txt", "\n".join(notes[:NOTES_EACH]).encode())
        for number, at in enumerate(range(NOTES_EACH, len(notes), NOTES_EACH), 2):
            self._zip.add(f"checkpoints/{number:06}.txt", "\n".join(notes[at : at + NOTES_EACH]).encode())
        self._zip.add("keys.txt", "".join(f"{key}\n" for key in self._keys).encode())
        self._zip.add_beside()
        self._zip.ship(SHIPPED)
        self._zip.finish(manifest_of(self._zip.sums, {"origin": self._origin, "size": self.size}))
        return Packed(self._origin, self.size, len(self._notes))

    def _close_events(self) -> None:
        if self._events.file is not None:
            name, digest = self._events.end()
            self._zip.sums[name] = digest


async def from_ledger(
    ledger: Ledger,
    path: Path,
    keys: Sequence[str] = (),
    to: int | None = None,
    progress: Progress = lambda done, of: None,
    cosigned: Cosigned = NOTHING,
    leaves: Leaves | None = None,
) -> Packed:
    """A bundle of the ledger, up to a position or its end, with the leaves of the tree that was signed.

    Raises Verdict where the position lies beyond it, or one is missing; the other errors of the ledger, FolderUnusable.
    """
    size = _size(to, (await ledger.head()).position, "the ledger")
    with Packing(path, keys, cosigned) as packing:
        async for wire in _wires(ledger, size):
            packing.event(wire)
            if packing.size % LINES_EACH == 0:
                progress(packing.size, size)
        progress(size, size)
        if leaves is not None:
            await packing.leaves(leaves)
        return packing.finish()


async def _wires(ledger: Ledger, size: int) -> AsyncIterator[bytes]:
    position = 0
    while position < size:
        rows = await ledger.read(position, min(1_000, size - position))
        for expected, row in enumerate(rows, position + 1):
            if row.position != expected:
                raise _missing(expected, "in the ledger")
            yield row.wire()
        if not rows:
            raise _missing(position + 1, "in the ledger")
        position = rows[-1].position


def from_kafka(
    bootstrap: str,
    path: Path,
    keys: Sequence[str] = (),
    to: int | None = None,
    progress: Progress = lambda done, of: None,
    cosigned: Cosigned = NOTHING,
    tree: Opened | None = None,
) -> Packed:
    """A bundle of what is on Kafka, with the chains of its partitions, up to a position or to where nothing is missing.

    The leaves of what was signed are in no topic: `tree` is where they are, for whoever can ask there, too. Raises
    Verdict where it is not whole, LocalProblem where Kafka is away, LedgerUnavailable where the tree is.
    """
    ends = partitions_of(bootstrap, (EVENTS, ALERTS))
    records = sum(ends.values())
    with Packing(path, keys, cosigned) as packing:
        chains = _Chains(packing.beside, ends)
        standing = in_order(bootstrap, ends)
        read = 0
        try:
            for found in standing:
                if to is not None and packing.size == to:
                    break
                position = packing.size + 1
                if found[0].position != position:
                    _judge_the_rest(position, standing)
                    break
                packing.event(_value(found))
                chains.add(found)
                read += len(found)
                if packing.size % LINES_EACH == 0:
                    progress(read, records)
        except Broken as broken:
            raise Verdict(ALTERED, f"No bundle was made. Position {broken.position} is bad: {broken}.") from None
        finally:
            standing.close()  # type: ignore[attr-defined]
        _size(to, packing.size, "Kafka")
        chains.close()
        progress(records, records)
        if tree is not None:
            asyncio.run(_leaves(packing, tree))
        return packing.finish()


async def _leaves(packing: Packing, tree: Opened) -> None:
    async with tree() as leaves:
        await packing.leaves(leaves)


def _value(found: Sequence[Standing]) -> bytes:
    value = found[0].value
    for one in found[1:]:
        if one.value != value:
            raise Verdict(
                ALTERED,
                f"No bundle was made. Position {one.position} is bad: {_named(found[0])} and {_named(one)} hold "
                "different bytes.",
            )
    return value


def _named(one: Standing) -> str:
    return f"{one.at.topic} partition {one.at.partition} offset {one.offset}"


def _judge_the_rest(position: int, standing: Iterator[Sequence[Standing]]) -> None:
    """Nothing, where no more follows a missing position than can be on its way."""
    for _ in range(SENDING):
        if next(standing, None) is None:
            return
    raise _missing(position, "on Kafka")


def _missing(position: int, where: str) -> Verdict:
    return Verdict(ALTERED, f"No bundle was made. Position {position} is missing {where}: see `intabaza audit verify`.")


def _size(to: int | None, end: int, of: str) -> int:
    if not end:
        raise Verdict(
            UNPROVEN, f"No bundle was made. {of[:1].upper()}{of[1:]} holds no event: see `intabaza audit verify`."
        )
    if to is not None and not 1 <= to <= end:
        raise Verdict(BEYOND, f"Position {to} lies beyond {of}, which holds positions 1 to {end}: choose one of those.")
    return to or end


class _Chains:
    """Where each record stands, a partition at a time: files beside the bundle, since all grow at once."""

    def __init__(self, begin: Callable[[str], IO[bytes]], partitions: Iterable[TopicPartition]) -> None:
        # also those that hold nothing, so that they are known to be there
        self._open = {at: PartsBeside(begin, f"chains/{at.topic}/{at.partition:05}", "txt") for at in partitions}

    def add(self, found: Sequence[Standing]) -> None:
        """The records of one position."""
        for one in found:
            self._open[one.at].write(b"%d %d %d\n" % (one.offset, one.position, one.previous))

    def close(self) -> None:
        """Nothing more is added."""
        for parts in self._open.values():
            parts.close()
