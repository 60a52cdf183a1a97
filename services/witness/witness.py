"""The witness: what it cosigned of each log is on its disk before anybody is given the cosignature."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from threading import Lock
from typing import Self

import structlog

from services.tlog.notes import Signer, written
from services.witness.folder import Folder, Seen, State
from services.witness.refused import Forked, NotNow, NotProven, UnknownLog
from services.witness.submission import Checkpoint, Head, Submission

CLOCK_BACK_SECONDS = 60
"""A clock may be set back by so much: what was said of a later moment is then said of that one again."""

_log = structlog.get_logger(__name__)


class Witness:
    """Cosigns for as long as it owns its folder; from any thread, one request at a time."""

    def __init__(self, folder: Folder, signer: Signer, state: State) -> None:
        self._folder, self._signer, self._state = folder, signer, state
        self._turn = Lock()

    @classmethod
    @contextmanager
    def opened(cls, folder: Folder) -> Iterator[Self]:
        """Raises FolderRefused, AlreadyRunning."""
        signer = folder.signer()
        with folder.owned():
            folder.trusted()
            yield cls(folder, signer, folder.state())

    def add(self, body: bytes, now: datetime) -> str:
        """The line that cosigns what was sent. Raises Refused, FolderRefused."""
        submitted = Submission.read(body)
        signed = signed_by_its_log(self._folder, submitted.checkpoint)
        with self._turn:
            before = self._state.logs.get(submitted.checkpoint.origin)
            try:
                submitted.check_continues(head_of(before))
            except Forked:
                self._keep_fork(submitted.checkpoint, signed, before)
                raise
            except NotProven:
                self._keep_unproven(submitted.checkpoint, signed, before)
                raise
            line, seen = self._cosign(submitted.checkpoint.note.text, signed, before, int(now.timestamp()))
            self._remember(self._state.with_seen(submitted.checkpoint.origin, seen))
            self._folder.forget_unproven(submitted.checkpoint.origin)
            return line

    def _cosign(self, text: str, signed: str, before: Seen | None, seconds: int) -> tuple[str, Seen]:
        at = max(seconds, before.seconds) if before else seconds
        if at - seconds > CLOCK_BACK_SECONDS:
            raise NotNow("the clock of this witness is behind what it cosigned before")
        line = self._signer.cosign(text, at)
        return line, Seen(written(text, signed, line), at)

    def _remember(self, state: State) -> None:
        try:
            self._folder.write(state)
        except OSError as error:
            _log.error("witness_cannot_write", because=type(error).__name__)
            raise NotNow("this witness cannot write down what it would cosign") from error
        self._state = state

    def _keep_fork(self, other: Checkpoint, signed: str, before: Seen | None) -> None:
        _log.error("log_forked", origin=other.origin, size=other.head.size)
        name = f"{sha256(other.note.text.encode()).hexdigest()[:16]}.txt"
        known = f"{before.note}\n" if before else ""
        self._folder.keep_fork(name, f"{known}{written(other.note.text, signed)}")

    def _keep_unproven(self, other: Checkpoint, signed: str, before: Seen | None) -> None:
        """A log that forked and went on signs no second root of what was cosigned: this is all that shows it."""
        if before is not None and 0 < before.head.size < other.head.size:
            _log.error("log_is_not_continued", origin=other.origin, old=before.head.size, size=other.head.size)
            self._folder.keep_unproven(other.origin, f"{before.note}\n{written(other.note.text, signed)}")


def head_of(seen: Seen | None) -> Head:
    """How far a log was when it was cosigned last."""
    return seen.head if seen else Head()


def signed_by_its_log(folder: Folder, checkpoint: Checkpoint) -> str:
    """The signatures of the log's own keys under it; raises UnknownLog, NotTrusted, FolderRefused."""
    keys = folder.trusted().get(checkpoint.origin)
    if keys is None:
        raise UnknownLog(f"this witness does not watch a log {checkpoint.origin!r}")
    return checkpoint.signed_by(keys)


def would_cosign(folder: Folder, body: bytes) -> str:
    """What a request would be cosigned for, while nothing is. Raises Refused, FolderRefused."""
    submitted = Submission.read(body)
    stated = submitted.checkpoint
    signed_by_its_log(folder, stated)
    before = head_of(folder.state().logs.get(stated.origin))
    submitted.check_continues(before)
    return f"Size {stated.head.size} of {stated.origin} continues size {before.size}, which was cosigned last."
