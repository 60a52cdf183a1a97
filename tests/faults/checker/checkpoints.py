"""What the notary signed: every checkpoint against the bytes of the ledger and of Kafka, hashed anew here.

A checkpoint says of the first so many events which root they lead to (RFC 6962), in a note that the log's key signs. It
stands behind what it is of, and each is of more than the one before. It speaks of what is on Kafka and of nothing
else; and when all was well again after a fault, everything but checkpoints that was recorded until then is under one.

Keys are used in their order: a newer one takes over in one checkpoint that the one before it signs too, and from then
on no older one signs. While a notary has to stand still, since the ledger does not lead to what was signed of it, there
is no checkpoint at all; a strike that brings that about says from which position to which.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.faults.checker import notes
from tests.faults.checker.findings import Findings
from tests.faults.checker.hashing import roots
from tests.faults.checker.history import Past
from tests.faults.checker.ledger import Row
from tests.faults.checker.records import EVENTS, Topics

CHECKPOINT = "custody.log_checkpointed"
STREAM, HOME = "custody/log", "log"


class Signed(NamedTuple):
    """One that can be read, and where it stands."""

    row: Row
    note: notes.Note


def judge(rows: Sequence[Row], topics: Topics, past: Past, found: Findings) -> None:
    """Look at all of them. Raises notes.Unreadable where one of the keys is none."""
    keys = [notes.Key.read(one) for one in past.log_keys]
    recorded = [row for row in rows if row.type == CHECKPOINT]
    signed = [one for row in recorded if (one := _as_it_says(row, keys, found)) is not None]
    _grow(signed, found)
    _lead_to_their_roots(signed, rows, topics, found)
    _by_keys_in_order(signed, found)
    _nothing_beyond_kafka(signed, past, found)
    _while_it_stands_still(recorded, past, found)
    _none_is_missing(rows, signed, past, found)


def _as_it_says(row: Row, keys: Sequence[notes.Key], found: Findings) -> Signed | None:
    """It is the system's, and its note is signed and says what it says."""
    data: dict[str, Any] = row.wire["data"]
    if (row.stream, row.home, row.wire["actorrole"]) != (STREAM, HOME, "system"):
        found.add("checkpoint_of_somebody", f"The checkpoint at {row.position} is not of the log.", row.position)
    try:
        note = notes.read(data["note"], keys)
    except notes.Unreadable as error:
        found.add("checkpoint_not_signed", f"The checkpoint at {row.position}: {error}.", row.position)
        return None
    if not note.signers:
        found.add(
            "checkpoint_not_signed", f"The checkpoint at {row.position} bears no signature of ours.", row.position
        )
    stated = (data["size"], base64.b64decode(data["root"]))
    if stated != (note.size, note.root) or any(key.name != note.origin for key in keys):
        found.add(
            "checkpoint_note_differs", f"The note at {row.position} does not say what its event says.", row.position
        )
    return Signed(row, note)


def _grow(signed: Sequence[Signed], found: Findings) -> None:
    """Each is of more than the one before, and of what stands before itself."""
    last, of_size = 0, dict[int, bytes]()
    for row, note in signed:
        if of_size.setdefault(note.size, note.root) != note.root:
            found.add("checkpoint_two_roots", f"Size {note.size} was signed with two roots.", row.position)
        if note.size <= last:
            found.add("checkpoint_size_falls", f"Size {note.size} was signed after {last}.", row.position)
        if not 0 < note.size < row.position:
            found.add(
                "checkpoint_of_what_is_to_come", f"{note.size} events were signed at {row.position}.", row.position
            )
        last = max(last, note.size)


def _lead_to_their_roots(signed: Sequence[Signed], rows: Iterable[Row], topics: Topics, found: Findings) -> None:
    """Ledger and Kafka, each by itself, lead to what was signed."""
    sizes = {one.note.size for one in signed}
    sides = {
        "ledger": roots({row.position: row.bytes_on_the_wire for row in rows}, sizes),
        "kafka": roots(_on_kafka(topics), sizes),
    }
    for side, own in sides.items():
        for row, note in signed:
            if (root := own.get(note.size)) != note.root:
                ends = "ends before it" if root is None else "leads to another root"
                sentence = f"The checkpoint at {row.position} is of size {note.size}, and the {side} {ends}."
                found.add(f"checkpoint_differs_from_{side}", sentence, row.position)


def _on_kafka(topics: Topics) -> Mapping[int, bytes]:
    """What came first for each position: what follows of the same is judged with the topics."""
    came: dict[int, bytes] = {}
    for records in topics.get(EVENTS, {}).values():
        for one in records:
            if one.link is not None:
                came.setdefault(one.link[0], one.value)
    return came


def _by_keys_in_order(signed: Sequence[Signed], found: Findings) -> None:
    before: int | None = None
    for row, note in signed:
        if not note.signers:
            continue
        newest, oldest = note.signers[-1], note.signers[0]
        takes_over = before is not None and newest > before
        if before is not None and (oldest < before or newest < before or (takes_over and before not in note.signers)):
            found.add(
                "checkpoint_by_another_key", f"The checkpoint at {row.position} is signed out of turn.", row.position
            )
        if not takes_over and len(note.signers) > 1:
            found.add(
                "checkpoint_by_another_key", f"The checkpoint at {row.position} is signed by too many.", row.position
            )
        before = max(before or 0, newest)


def _nothing_beyond_kafka(signed: Sequence[Signed], past: Past, found: Findings) -> None:
    """While a strike kept everything after a position from Kafka, nothing after it was signed."""
    for fault in past.faults:
        if fault.unsent is None:
            continue
        kafka_had, head = fault.unsent
        for row, note in signed:
            if row.position <= head and note.size > kafka_had:
                sentence = f"{note.size} events were signed at {row.position} when Kafka had {kafka_had}."
                found.add("checkpoint_beyond_kafka", sentence, row.position)


def _while_it_stands_still(recorded: Iterable[Row], past: Past, found: Findings) -> None:
    for fault in past.faults:
        if fault.signs_nothing is None:
            continue
        after, until = fault.signs_nothing
        for row in recorded:
            if after < row.position <= until:
                sentence = f"The checkpoint at {row.position} is of a ledger that {fault.name} had altered."
                found.add("checkpoint_while_halted", sentence, row.position)


def _none_is_missing(rows: Sequence[Row], signed: Sequence[Signed], past: Past, found: Findings) -> None:
    """When all was well, whatever had come through by then was under a checkpoint."""
    worth = [row.position for row in rows if row.type != CHECKPOINT]
    times = [(fault.name, fault.through, fault.well) for fault in past.faults]
    # what was waited for at the end may have been signed by the very last that is in the ledger
    last = rows[-1].position if rows else None
    for name, through, head in [*times, ("the end", past.through_at_the_end, last)]:
        if through is None or head is None:
            continue
        due = max((position for position in worth if position <= through), default=0)
        size = max((note.size for row, note in signed if row.position <= head), default=0)
        if size < due:
            sentence = f"All was well after {name}, and of {due} events {size} were signed."
            found.add("checkpoint_missing", sentence, due)
