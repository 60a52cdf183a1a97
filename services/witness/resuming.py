"""How a witness goes on whose state was lost or put back: by what it cosigned, as the logs show it."""

from __future__ import annotations

from collections.abc import Sequence

from services.tlog.notes import Verifier, written
from services.witness.folder import Folder, Seen, State
from services.witness.refused import NotTrusted
from services.witness.submission import Checkpoint
from services.witness.witness import head_of, signed_by_its_log


class Unresumed(Exception):
    """The witness cannot go on from this; the message says why."""


def resumed(folder: Folder, notes: Sequence[str], as_it_is: bool) -> State:
    """A state to write, which goes on from the checkpoints in these notes: each bears this witness's own cosignature.

    Raises Unresumed where one does not, contradicts what is known, or a log that is watched is left out although that
    was not allowed (`as_it_is`); Refused, FolderRefused.
    """
    own, state, shown = folder.verifier(), folder.left(), set()
    for whole in notes:
        checkpoint = Checkpoint.read(whole)
        seen = _cosigned(checkpoint, signed_by_its_log(folder, checkpoint), own)
        known = head_of(state.logs.get(checkpoint.origin))
        if known.size == seen.head.size and known.root != seen.head.root:
            raise Unresumed(
                f"this witness cosigned two roots of size {known.size} of {checkpoint.origin}: keep both notes, tell "
                "whoever relies on it, and begin again with a new key"
            )
        shown.add(checkpoint.origin)
        if seen.head.size > known.size:
            state = state.with_seen(checkpoint.origin, seen)
    if not as_it_is and (lacking := sorted(set(folder.trusted()) - shown)):
        raise Unresumed(
            f"nothing shows what was cosigned last of {', '.join(lacking)}: add a checkpoint of each by --cosigned, or "
            "--as-it-is where nothing was cosigned since this state was written"
        )
    return State(state.number + 2, state.logs)  # beyond what any process has left of the state before


def _cosigned(checkpoint: Checkpoint, signed: str, own: Verifier) -> Seen:
    """What this witness cosigned there, the last time where it did so twice."""
    text = checkpoint.note.text
    lines = [one for one in checkpoint.note.signatures if one.is_by(own)]
    if not lines or not all(own.accepts(text, one.signature) for one in lines):
        raise NotTrusted(f"the checkpoint of {checkpoint.origin} bears no cosignature of {own}")
    line = max(lines, key=lambda one: one.signature[:8])
    return Seen(written(text, signed, str(line)), int.from_bytes(line.signature[:8]))
