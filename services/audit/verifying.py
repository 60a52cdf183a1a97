"""The ledger against Kafka, and both against signed checkpoints; the verdict names the first bad position."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import asyncpg
from kafka import TopicPartition

from services.audit import comparing
from services.audit.comparing import STRETCH, Compared, Roots, Stretch, compare, root_of, slot_leaves
from services.audit.findings import Bad, Found, read_found, told
from services.audit.in_order import SENDING, partitions_of
from services.audit.kafka_side import KafkaShare, read_partitions
from services.audit.ledger_side import LedgerShare, read_ledger
from services.database.lost import ANSWER_SECONDS, LOST
from services.ledger.ledger import unavailable
from services.local.problems import FolderUnusable
from services.local.topics import ALERTS, EVENTS
from services.notary.operator import cosignatures
from services.processors.abreast import abreast
from services.tlog.notes import NoteRefused, Signature
from services.tlog.offline.verify import (
    ALTERED,
    ANOTHER_LOG,
    UNPROVEN,
    Checkpoint,
    Key,
    Verdict,
    check_all_signatures,
    check_signature,
    read_checkpoints,
    signed_by,
    witnessed,
)

HEAD = "(select max(position) from ledger.event)"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is verified: Kafka, the ledger where a `dsn` is given, by keys and by checkpoints that were kept, and by
    whom it must have been cosigned."""

    bootstrap: str
    dsn: str | None
    keys: Sequence[Key] = ()
    kept: Sequence[Checkpoint] = ()
    processes: int = 2
    witnesses: Sequence[Key] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """Nothing is wrong up to `to`; `covered` is the size of the last checkpoint, 0 where there is none."""

    to: int
    covered: int
    checkpoints: int
    signed: bool
    origin: str
    partitions: int
    foreign: Sequence[str]
    foreign_records: int
    repeats: int
    seconds: float
    witnessed: Sequence[str] = ()
    head: int = 0

    def sentence(self, with_ledger: bool) -> str:
        """The verdict."""
        where = "the same bytes in the ledger and on Kafka" if with_ledger else "on Kafka"
        parts = [
            f"Verified: positions 1 to {self.to} are {where}, in unbroken chains over {self.partitions} partitions"
        ]
        if not self.covered:
            parts.append("no checkpoint says what was signed of them")
        else:
            signed = "" if self.signed else ", whose signatures were not checked, as no key was given (--key)"
            parts.append(f"they lead to the roots of {self.checkpoints} checkpoints of {self.origin}{signed}")
            if self.covered < self.to:
                parts.append(f"no checkpoint covers {_positions(self.covered + 1, self.to)} yet")
        if self.head > self.to:
            are = "are" if self.head > self.to + 1 else "is"
            parts.append(f"{_positions(self.to + 1, self.head)} of the ledger {are} not on Kafka yet")
        parts += self.witnessed
        if self.foreign_records:
            parts.append(f"{self.foreign_records} foreign records are passed over ({', '.join(self.foreign)})")
        if self.repeats:
            parts.append(f"{self.repeats} repeats say the same as the first time")
        return "; ".join(parts) + "."


def _positions(first: int, last: int) -> str:
    return f"positions {first} to {last}" if first < last else f"position {last}"


async def verify(asked: Asked, progress: Progress = lambda what, done, of: None) -> Verified:
    """Verify everything that is on Kafka now.

    Raises Verdict, whose sentence names the first bad position; LocalProblem, Halt or LedgerError where one of the two
    could not be read.
    """
    began = time.monotonic()
    acknowledged = await _position(asked.dsn, "relay.acknowledged()") if asked.dsn else 0
    before = await _position(asked.dsn, HEAD) if asked.dsn else 0
    ends = await asyncio.to_thread(partitions_of, asked.bootstrap, (EVENTS, ALERTS))
    head = await _position(asked.dsn, HEAD) if asked.dsn else 0
    partitions = sum(at.topic == EVENTS for at in ends)
    with _temporary() as folder:
        kafka = _shares(asked, ends, partitions, Path(folder))
        ledger = LedgerShare(len(kafka), asked.dsn, before, head, Path(folder)) if asked.dsn else None
        founds = await _read(kafka, ledger, sum(ends.values()), head, progress)
        last = max((found.last for found in founds[: len(kafka)]), default=0)
        bad = [one for found in founds for one in found.bad]
        if ledger is None:
            head = last
        elif last > head:
            bad.append(Bad(head + 1, f"Kafka holds positions up to {last}, and the ledger ends at {head}"))
        signed = max(0, *(found.signed for found in founds), *(one.size for one in asked.kept if one.size <= head))
        if signed > last:  # whoever signs looks first how far Kafka has it
            bad.append(Bad(last + 1, f"Kafka ends before it, although a checkpoint of size {signed} was signed"))
        # the relay's note of how far it came can have been set back: all that is on Kafka is looked at
        to = max(acknowledged, min(last, head))
        checkpoints = await _with_cosignatures(asked, _checkpoints(asked, founds, to, head, bad))
        log = _Log(kafka, ledger, partitions, to, acknowledged, head, checkpoints)
        compared = await asyncio.to_thread(log.compare, asked.processes, partial(progress, "comparing"))
        log = _judge(log, bad, compared)
    return _verified(log, asked, founds, len(ends), time.monotonic() - began)


def _temporary() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="intabaza-verify-")
    except OSError as error:
        raise FolderUnusable(
            f"Nothing can be written where temporary files go ({error.strerror or error}): set TMPDIR to a folder with "
            "room for 160 bytes an event."
        ) from None


def _shares(asked: Asked, ends: Mapping[TopicPartition, int], partitions: int, folder: Path) -> list[KafkaShare]:
    """Partitions spread so that each process has about as much to read; the alerts of one beside its events."""
    loads = [0] * max(1, min(asked.processes, partitions))
    shares: list[dict[TopicPartition, int]] = [{} for _ in loads]
    for at, end in sorted(ends.items(), key=lambda one: -one[1]):
        lightest = loads.index(min(loads))
        loads[lightest] += end
        shares[lightest][at] = end
    most = sum(end for at, end in ends.items() if at.topic == EVENTS) + SENDING
    return [
        KafkaShare(number, asked.bootstrap, share, partitions, most, folder)
        for number, share in enumerate(shares)
        if share
    ]


async def _read(
    kafka: Sequence[KafkaShare], ledger: LedgerShare | None, records: int, rows: int, progress: Progress
) -> list[Found]:
    """What every process found, Kafka's first."""
    shares: dict[str, KafkaShare | LedgerShare] = {f"share {one.number + 1} of Kafka": one for one in kafka}
    if ledger is not None:
        shares["the ledger"] = ledger
    at, numbers = kafka[0].folder / "progress", range(len(shares))

    async def look() -> None:
        progress("reading", told(at, numbers), records + (rows if ledger else 0))

    await abreast(_work, shares, look)
    return [read_found(one.found) for one in shares.values()]


def _work(share: KafkaShare | LedgerShare) -> None:
    """In a process of its own."""
    if isinstance(share, KafkaShare):
        read_partitions(share)
    else:
        read_ledger(share)


def _checkpoints(asked: Asked, founds: Sequence[Found], to: int, head: int, bad: list[Bad]) -> list[Checkpoint]:
    """Those that the log records and those that were kept, by size; raises Verdict for what is none of this log's."""
    recorded, origin = _recorded(asked, founds, bad)
    for one in asked.kept:
        if one.origin != origin:
            raise Verdict(ANOTHER_LOG, f"A checkpoint that was kept is of {one.origin!r}, and this log is {origin!r}.")
    if asked.keys:
        for one in asked.kept:
            check_signature(one, list(asked.keys), f"The checkpoint of size {one.size} that was kept")
        check_all_signatures(recorded, list(asked.keys), given=True)
    for one in asked.kept:
        if one.size > head:
            bad.append(Bad(head + 1, f"it is missing, although a checkpoint of size {one.size} was signed"))
    return sorted((one for one in (*recorded, *asked.kept) if 0 < one.size <= to), key=lambda one: one.size)


def _recorded(asked: Asked, founds: Sequence[Found], bad: list[Bad]) -> tuple[list[Checkpoint], str]:
    """Those that the log records, without what cannot have been, which is bad; and what the log is called.

    It is called what a key that was given is, else what most of its checkpoints say, else what was kept.
    """
    stated: list[tuple[int, Checkpoint]] = []
    for position, note in sorted(one for found in founds for one in found.notes):
        try:
            [one] = read_checkpoints(note, f"Position {position}", ALTERED)
            stated.append((position, one))
        except (Verdict, ValueError):
            bad.append(Bad(position, "it records what is no checkpoint"))
    names, said = {key.name for key in asked.keys}, Counter(one.origin for _, one in stated)
    kept = asked.kept[0].origin if asked.kept else ""
    origin = max(said, key=lambda one: (one in names, said[one]), default=kept)
    recorded: list[Checkpoint] = []
    for position, one in stated:
        if one.origin != origin:
            bad.append(Bad(position, f"the checkpoint that it records is of another log, {one.origin!r}"))
        elif not (recorded[-1].size if recorded else 0) < one.size < position:
            bad.append(Bad(position, "the checkpoint that it records is no later one than that before: replayed"))
        elif not _fits(one, list(asked.keys)):
            bad.append(Bad(position, "the checkpoint that it records is not what was signed"))
        else:
            recorded.append(one)
    return recorded, origin


def _fits(checkpoint: Checkpoint, keys: list[Key]) -> bool:
    """Whether no key that is known is said to have signed it, and did not."""
    try:
        signed_by(checkpoint, keys, "")
    except Verdict:
        return False
    return True


async def _with_cosignatures(asked: Asked, checkpoints: list[Checkpoint]) -> list[Checkpoint]:
    """The same with what the witnesses that are demanded cosigned of them, as the ledger's database has it; raises
    Verdict for what is kept there and is none."""
    if not (asked.witnesses and asked.dsn):
        return checkpoints
    lines: dict[int, list[tuple[str, bytes, bytes]]] = {}
    demanded = {one.text for one in asked.witnesses}
    for size, key, line in await cosignatures(asked.dsn):
        if key in demanded:
            try:
                said = Signature.parse(line.rstrip("\n"))
            except NoteRefused:
                raise Verdict(ALTERED, f"What is kept as a cosignature of {key} under size {size} is none.") from None
            lines.setdefault(size, []).append((said.name, said.number, said.signature))
    return [one._replace(signatures=(*one.signatures, *lines.get(one.size, ()))) for one in checkpoints]


@dataclass(frozen=True, slots=True)
class _Log:
    """What was read, and what it must lead to."""

    kafka: Sequence[KafkaShare]
    ledger: LedgerShare | None
    partitions: int
    to: int
    sent: int
    """Up to here everything is on Kafka, as far as the relay says so."""
    head: int
    checkpoints: Sequence[Checkpoint]

    def stretches(self) -> Iterator[Stretch]:
        slots = tuple(one.slots for one in self.kafka)
        ledger = self.ledger.leaves if self.ledger else None
        for first in range(1, self.to + 1, STRETCH):
            count = min(STRETCH, self.to - first + 1)
            sizes = tuple(one.size for one in self.checkpoints if first <= one.size < first + count)
            yield Stretch(first, count, slots, ledger, self.partitions, sizes)

    def compare(self, processes: int, progress: Callable[[int, int], None]) -> tuple[Bad | None, Checkpoint | None]:
        """The first bad position, and the first checkpoint whose root is another."""
        roots, waiting = Roots(), list(self.checkpoints)
        bad: Bad | None = None
        previous = b""
        for stretch, compared in self._compared(processes):
            if compared.begins < previous and bad is None:
                bad = Bad(stretch.first, "its time lies before that of the position before it: it was backdated")
            previous = compared.ends
            bad = bad or compared.bad
            for peaks in compared.peaks_at:
                if roots.at(peaks) != (one := waiting.pop(0)).root:
                    return bad, one
            if bad is not None:
                return bad, None
            if stretch.count == STRETCH:
                roots.add(compared.peaks[0])
            progress(stretch.first + stretch.count - 1, self.to)
        return bad, None

    def _compared(self, processes: int) -> Iterator[tuple[Stretch, Compared]]:
        stretches = list(self.stretches())
        if len(stretches) < 3 or processes < 2:
            yield from ((one, compare(one)) for one in stretches)
            return
        pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
        try:
            yield from zip(stretches, pool.map(compare, stretches), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)

    def proven(self, before: Checkpoint) -> int:
        """How much an earlier checkpoint than this one covers."""
        return max((one.size for one in self.checkpoints if one.size < before.size), default=0)

    def which(self, position: int) -> str:
        """Which of ledger and Kafka is what was signed, where a checkpoint covers a position that differs."""
        over = next((one for one in self.checkpoints if one.size >= position), None)
        if over is None or self.ledger is None:
            return ""
        slots = [one.slots for one in self.kafka]
        firsts = range(1, over.size + 1, STRETCH)
        counts = [(first, min(STRETCH, over.size - first + 1)) for first in firsts]
        kafka = root_of(chain.from_iterable(slot_leaves(slots, *one) for one in counts)) == over.root
        ledger = root_of(chain.from_iterable(comparing.ledger_leaves(self.ledger.leaves, *one) for one in counts))
        if kafka != (ledger == over.root):
            right, wrong = ("Kafka", "the ledger") if kafka else ("the ledger", "Kafka")
            return f"; {right} leads to the root that was signed for {over.size}, and {wrong} does not"
        return f"; neither leads to the root that was signed for {over.size}" if not kafka else ""


def _judge(log: _Log, bads: Sequence[Bad], compared: tuple[Bad | None, Checkpoint | None]) -> _Log:
    """Raise the verdict on the first bad position, if there is one; else the log, without what is still being sent."""
    first, differs = compared
    covered = log.checkpoints[-1].size if log.checkpoints else 0
    # what is still being sent arrives in no order
    if first and first.unsent and not bads and max(covered, log.sent) < first.position > log.to - SENDING:
        return replace(log, to=first.position - 1)
    every = [*bads, *([first] if first else [])]
    position = min((bad.position for bad in every), default=0)
    if differs is not None and not 0 < position <= differs.size:
        between = f"between {log.proven(differs) + 1} and {differs.size}"
        neither = ", neither in the ledger nor on Kafka" if log.ledger else ""
        raise Verdict(
            ALTERED,
            f"History was altered. The first bad position is {between}: they do not lead to the root that was signed "
            f"for {differs.size}{neither}.",
        )
    if position:
        what = "; ".join(dict.fromkeys(bad.what for bad in every if bad.position == position))
        which = log.which(position)
        raise Verdict(ALTERED, f"History was altered. Position {position} is the first bad one: {what}{which}.")
    return log


def _verified(log: _Log, asked: Asked, founds: Sequence[Found], partitions: int, seconds: float) -> Verified:
    if not log.to and log.head:
        holds = f"the ledger holds positions 1 to {log.head}" if log.ledger else f"Kafka holds position {log.head}"
        raise Verdict(
            UNPROVEN,
            f"Nothing was verified: {holds}, and position 1 is not on Kafka yet. See `intabaza relay status`, and that "
            "INTABAZA_KAFKA_BOOTSTRAP names the Kafka that you mean.",
        )
    if not log.to:
        raise Verdict(
            UNPROVEN,
            "The log is empty, so nothing was verified: see that INTABAZA_DATA_FOLDER or INTABAZA_KAFKA_BOOTSTRAP "
            "names the one that you mean.",
        )
    if not log.checkpoints and log.ledger is None:
        raise Verdict(
            UNPROVEN,
            f"Positions 1 to {log.to} on Kafka fit together, and no checkpoint says what was signed of them: compare "
            "them with the ledger, or give a checkpoint that was kept (--kept).",
        )
    last = log.checkpoints[-1] if log.checkpoints else None
    if asked.witnesses and last is None:
        raise Verdict(UNPROVEN, f"Not witnessed: no checkpoint covers positions 1 to {log.to}, so none is cosigned.")
    return Verified(
        log.to,
        last.size if last else 0,
        len(log.checkpoints),
        bool(asked.keys),
        last.origin if last else "",
        partitions,
        [place for found in founds for place in found.foreign],
        sum(found.foreign_records for found in founds),
        sum(found.repeats for found in founds),
        seconds,
        witnessed(list(log.checkpoints), list(asked.keys), list(asked.witnesses), None),
        log.head if log.ledger else 0,
    )


async def _position(dsn: str | None, what: str) -> int:
    assert dsn is not None
    try:
        connection = await asyncpg.connect(dsn, timeout=ANSWER_SECONDS)
        try:
            return int(await connection.fetchval(f"select coalesce({what}, 0)", timeout=ANSWER_SECONDS))
        finally:
            await connection.close()
    except LOST as error:
        raise unavailable(error) from error


def cores() -> int:
    """How many processes read Kafka."""
    return os.cpu_count() or 1
