"""Proofs as texts that stand alone: C2SP tlog-proof for inclusion; for consistency what C2SP sends to witnesses.

Pure. Whoever has the log's key needs neither us nor a network to check one. What is wrong with one is a Verdict, with
the statuses of `audit verify`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from services.tlog.merkle import HASH_BYTES, continues, hash_leaf, includes
from services.tlog.notes import LARGEST_NOTE
from services.tlog.offline.verify import (
    ALTERED,
    ANOTHER_LOG,
    LOG_KEY,
    USAGE,
    Checkpoint,
    Key,
    Verdict,
    check_signature,
    read_checkpoints,
    unbase64,
)

HEAD = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63
"""No proof of ours is longer; the specification of witnesses allows as many."""

_INCLUSION = re.compile(
    r"c2sp\.org/tlog-proof@v1\n(?:extra [^\n]*\n)?index (0|[1-9][0-9]{0,18})\n((?:[^\n]+\n)*)\n(.+)", re.DOTALL
)
CONSISTENCY = re.compile(r"old (0|[1-9][0-9]{0,18})\n((?:[^\n]+\n)*)\n(.+)", re.DOTALL)
"""What a witness is sent: an older size, lines of hashes, and a signed checkpoint."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as it was read: of the leaf at `place`, or of the tree of `place` leaves; and where it leads to."""

    of_inclusion: bool
    place: int
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint


def inclusion_text(index: int, hashes: Sequence[bytes], note: str) -> str:
    """The proof that an entry is in the tree of a checkpoint, in the form of C2SP tlog-proof."""
    return f"{HEAD}\nindex {index}\n{_lines(hashes)}\n{note}"


def consistency_text(old: int, hashes: Sequence[bytes], note: str) -> str:
    """The proof that a checkpoint's tree begins with that of an older size, as a witness is sent it."""
    return f"old {old}\n{_lines(hashes)}\n{note}"


def read_proof(text: str, where: str) -> Proof:
    """Read either; raises Verdict where it is neither, or was cut."""
    if len(text) > LARGEST_NOTE:
        raise Verdict(USAGE, f"{where} is no proof: it has more than {LARGEST_NOTE:,} characters.")
    inclusion = _INCLUSION.fullmatch(text)
    found = inclusion or CONSISTENCY.fullmatch(text)
    if not found:
        raise Verdict(
            USAGE,
            f"{where} is no whole proof: expected {HEAD}, or `old` and a size, then hashes, an empty line and a "
            "checkpoint; was it cut?",
        )
    hashes = read_hashes(found[2])
    if hashes is None:
        raise Verdict(USAGE, f"{where}: a line of its proof is no hash in base64, or there are too many.")
    checkpoints = read_checkpoints(found[3], where, USAGE)
    if len(checkpoints) != 1:
        raise Verdict(USAGE, f"{where} holds {len(checkpoints)} checkpoints, and a proof leads to one.")
    return Proof(inclusion is not None, int(found[1]), hashes, checkpoints[0])


def read_hashes(lines: str) -> tuple[bytes, ...] | None:
    """The hashes of a proof, one a line in base64; None where one is none, or there are more than any proof has."""
    hashes = tuple(unbase64(line) for line in lines.splitlines())
    if len(hashes) > MOST_HASHES or any(len(one) != HASH_BYTES for one in hashes):
        return None
    return hashes


def check_included(proof: Proof, entry: bytes, keys: Sequence[Key]) -> str:
    """The sentence that says what is proven of these bytes; raises Verdict where nothing is."""
    _check_signed(proof.checkpoint, keys)
    size, position = proof.checkpoint.size, proof.place + 1
    if proof.place >= size:
        raise Verdict(USAGE, f"The proof is of position {position}, and its checkpoint covers {size}.")
    # a line of a bundle comes with its end, and no event ends with one
    leaves = {hash_leaf(entry), hash_leaf(entry.removesuffix(b"\n"))}
    root = proof.checkpoint.root
    if not any(includes(leaf, proof.place, size, proof.hashes, root) for leaf in leaves):
        raise Verdict(
            ALTERED,
            f"This event is not at position {position} of what was signed: it, or the proof, is another or altered.",
        )
    return (
        f"Proven: this event, byte for byte, stands at position {position} of {proof.checkpoint.origin}, in the "
        f"checkpoint of size {size}."
    )


def check_continued(proof: Proof, older: Checkpoint, keys: Sequence[Key]) -> str:
    """The sentence that says that nothing before an older checkpoint was altered; raises Verdict where it may be."""
    newer = proof.checkpoint
    for one in (older, newer):
        _check_signed(one, keys)
    if older.origin != newer.origin:
        raise Verdict(ANOTHER_LOG, f"The older checkpoint is of {older.origin!r}, and the proof's of {newer.origin!r}.")
    if proof.place != older.size:
        raise Verdict(USAGE, f"The proof begins at size {proof.place}, and the older checkpoint is of {older.size}.")
    if not continues(older.size, newer.size, proof.hashes, older.root, newer.root):
        raise Verdict(
            ALTERED,
            f"History was altered before position {older.size + 1}, or the proof was: what was signed for {newer.size} "
            f"does not begin with what was signed for {older.size}.",
        )
    return (
        f"Proven: what was signed for {newer.size} positions of {newer.origin} begins with what was signed for "
        f"{older.size}."
    )


def _check_signed(checkpoint: Checkpoint, keys: Sequence[Key]) -> None:
    names = {key.name for key in keys if key.kind == LOG_KEY}
    if checkpoint.origin not in names:
        said = ", ".join(sorted(names))
        raise Verdict(ANOTHER_LOG, f"The checkpoint is of {checkpoint.origin!r}, and the keys given are of {said}.")
    check_signature(checkpoint, list(keys), f"The checkpoint of size {checkpoint.size}")


def _lines(hashes: Sequence[bytes]) -> str:
    return "".join(f"{b64encode(one).decode()}\n" for one in hashes)
