"""What a log sends to a witness (C2SP tlog-witness, add-checkpoint): where it begins, a proof, and a signed checkpoint.

Pure. Refusals are those of services/witness/refused.py.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection
from dataclasses import dataclass

from services.tlog.merkle import EMPTY, continues
from services.tlog.notes import Note, NoteRefused, Verifier
from services.tlog.offline.verify import CHECKPOINT
from services.tlog.proofs import CONSISTENCY, MOST_HASHES, read_hashes
from services.witness.refused import Forked, Malformed, NotProven, NotTrusted, OtherSize

LARGEST_SIZE = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log goes, and the root over that: before anything is known of one it is the empty tree."""

    size: int = 0
    root: bytes = EMPTY


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed checkpoint, of which nothing is verified yet."""

    note: Note
    origin: str
    head: Head

    @classmethod
    def read(cls, whole: str) -> Checkpoint:
        """Raises Malformed."""
        try:
            note = Note.parse(whole)
        except NoteRefused as refused:
            raise Malformed(f"the checkpoint cannot be read: {refused}") from None
        stated = CHECKPOINT.fullmatch(note.text)
        if not stated or int(stated[2]) > LARGEST_SIZE:
            raise Malformed("the note states no checkpoint: expected three lines, an origin, a size and a root")
        return cls(note, stated[1], Head(int(stated[2]), b64decode(stated[3])))

    def signed_by(self, keys: Collection[Verifier]) -> str:
        """The signature lines of these keys; raises NotTrusted where there is none, or one does not fit."""
        try:
            signed = self.note.signed_by(keys)
        except NoteRefused as refused:
            raise NotTrusted(str(refused)) from None
        return "".join(str(line) for line in self.note.signatures if any(line.is_by(key) for key in signed))


@dataclass(frozen=True, slots=True)
class Submission:
    """A request: a checkpoint, and the proof that it continues the tree of an older size."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint

    @classmethod
    def read(cls, body: bytes) -> Submission:
        """Raises Malformed."""
        try:
            found = CONSISTENCY.fullmatch(body.decode())
        except UnicodeDecodeError:
            raise Malformed("this is no text in UTF-8") from None
        if not found:
            raise Malformed("expected `old` and a size, hashes in base64, an empty line and a signed checkpoint")
        hashes = read_hashes(found[2])
        if hashes is None:
            raise Malformed(f"expected up to {MOST_HASHES} lines of proof, each a hash of 32 bytes in base64")
        return cls(int(found[1]), hashes, Checkpoint.read(found[3]))

    def check_continues(self, last: Head) -> None:
        """That the tree of what was cosigned last is its beginning; raises Malformed, OtherSize, Forked, NotProven."""
        stated = self.checkpoint.head
        if self.old > stated.size:
            raise Malformed(f"the old size, {self.old}, is above that of the checkpoint, {stated.size}")
        if self.old != last.size:
            raise OtherSize(last.size)
        if stated.size == last.size and stated.root != last.root:
            raise Forked(f"the log has forked: it signed two roots of size {stated.size}")
        if not continues(last.size, stated.size, self.proof, last.root, stated.root):
            raise NotProven(f"the proof does not lead from size {last.size}, as it was cosigned, to {stated.size}")
