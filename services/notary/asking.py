"""The notary asks a witness to cosign each checkpoint that is recorded (C2SP tlog-witness).

Each witness is asked apart, about the last checkpoint alone: one that is slow, away or wrong keeps neither who signs
nor another witness waiting, and is asked again. A cosignature is kept when it was verified, any other answer as what it
said. Whoever is killed between answer and keeping is answered once more: a witness cosigns the same checkpoint again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from services.ledger.ledger import LedgerError
from services.notary.checkpoint import Checkpoint
from services.notary.lead import Lead
from services.notary.metrics import Metrics
from services.notary.posting import Answer, Unanswered
from services.notary.tree import BeyondTree, Tree, TreeDamaged
from services.notary.witnesses import Witness
from services.tlog.merkle import continues
from services.tlog.notes import Note, NoteRefused, Verifier, written
from services.tlog.proofs import consistency_text

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 600.0
"""How soon a witness that did not cosign is asked again: the double each time, and at once about a later checkpoint."""

MOST_TRIES = 3
"""How often in one asking: it may say where to begin, and by then be somewhere else because of another notary."""

MOST_SAID = 200
"""Characters of what a witness says that are kept."""

MOST_KEPT = 500
"""Characters that the database takes of why a witness did not cosign."""

SIZE_TYPE = "text/x.tlog.size"
LATEST_SECONDS = (1 << 63) - 1

_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n?")

_log = structlog.get_logger(__name__)

Post = Callable[[str, bytes], Awaitable[Answer]]
"""Sends a body to an address; raises Unanswered."""


async def nobody(url: str, body: bytes) -> Answer:
    """How witnesses are asked where there are none."""
    raise Unanswered("nobody is asked")


class Newest:
    """The checkpoint that was recorded last, for whoever waits for a later one."""

    def __init__(self) -> None:
        self._last: Checkpoint | None = None
        self._came = asyncio.Event()

    def put(self, checkpoint: Checkpoint) -> None:
        """It is recorded now."""
        self._last = checkpoint
        self._came.set()
        self._came = asyncio.Event()

    async def beyond(self, size: int) -> Checkpoint:
        """Wait for one that is larger than this."""
        while self._last is None or self._last.size <= size:
            await self._came.wait()
        return self._last


class NotCosigned(Exception):
    """A witness did not cosign; the message says why, in no more words than are kept."""

    def __init__(self, why: str) -> None:
        super().__init__(why if len(why) <= MOST_KEPT else f"{why[: MOST_KEPT - 1]}…")


@dataclass(frozen=True, slots=True)
class Asking:
    """One witness and what it is asked with, for as long as this notary leads."""

    witness: Witness
    lead: Lead
    tree: Tree
    newest: Newest
    post: Post
    metrics: Metrics

    async def run(self) -> None:
        """Ask about every checkpoint that is the last one, for ever; raises LeadLost."""
        name, kept, failures, told = self.witness.key.name, await self.lead.cosigned_size(self.witness.key), 0, ""
        self.metrics.cosigned(name, kept)
        while True:
            checkpoint = await self.newest.beyond(kept)
            try:
                line = await self._cosigned(checkpoint, kept)
            except NotCosigned as error:
                if told != (told := str(error)):
                    _log.warning("witness_does_not_cosign", witness=name, size=checkpoint.size)
                await self.lead.note_witness(self.witness.key, checkpoint.size, None, told)
                self.metrics.not_cosigned(name)
                failures += 1
                with suppress(TimeoutError):
                    async with asyncio.timeout(_delay(failures)):
                        await self.newest.beyond(checkpoint.size)
            else:
                await self.lead.note_witness(self.witness.key, checkpoint.size, line, None)
                kept, failures, told = checkpoint.size, 0, ""
                _log.info("checkpoint_cosigned", witness=name, size=kept)
                self.metrics.cosigned(name, kept)

    async def _cosigned(self, checkpoint: Checkpoint, kept: int) -> str:
        """The line that cosigns a checkpoint, asked from the size that the witness has; raises NotCosigned."""
        old = kept
        for _ in range(MOST_TRIES):
            try:
                body = consistency_text(old, await self._proof(old, checkpoint), checkpoint.note)
            except (LedgerError, BeyondTree, TreeDamaged) as error:
                raise NotCosigned(f"it was not asked: {error}") from None
            try:
                answer = await self.post(self.witness.asked_at, body.encode())
            except Unanswered as error:
                raise NotCosigned(str(error)) from None
            if answer.status == 200:
                return cosignature_of(checkpoint, answer.text, self.witness.key)
            old = _goes_on_from(answer, old, checkpoint.size)
        raise NotCosigned(f"it names another size each time, {old} at last")

    async def _proof(self, old: int, checkpoint: Checkpoint) -> Sequence[bytes]:
        """That it continues the tree of an older size; raises LedgerUnavailable, BeyondTree, TreeDamaged."""
        if not 0 < old < checkpoint.size:
            return ()
        hashes = await self.tree.consistency(old, checkpoint.size)
        if not continues(old, checkpoint.size, hashes, await self.tree.root(old), checkpoint.root):
            raise TreeDamaged(f"the tree does not lead from {old} leaves to the checkpoint of size {checkpoint.size}")
        return hashes


def cosignature_of(checkpoint: Checkpoint, lines: str, key: Verifier) -> str:
    """Of the lines that a witness answered the one by which this key cosigned the checkpoint; raises NotCosigned."""
    try:
        note = Note.parse(written(checkpoint.text, lines))
    except NoteRefused:
        raise NotCosigned("it answered 200, and no lines of signatures") from None
    if note.text != checkpoint.text:  # an answer that holds a text of its own
        raise NotCosigned("it answered 200, and more than lines of signatures")
    own = [one for one in note.signatures if one.is_by(key)]
    if not own:
        raise NotCosigned(f"it answered 200, and no cosignature of {key.name} ({key.number.hex()}): has it a new key?")
    for one in own:
        if not key.accepts(checkpoint.text, one.signature):
            raise NotCosigned("its cosignature does not fit: it is of something else, or of another key")
        if one.seconds > LATEST_SECONDS:
            raise NotCosigned("its cosignature is of a time that there is not")
    return str(max(own, key=lambda one: one.seconds))


def _goes_on_from(answer: Answer, old: int, size: int) -> int:
    """The size that a witness wants the proof from; raises NotCosigned for any other answer."""
    held = _SIZE.fullmatch(answer.text) if (answer.status, answer.media_type) == (409, SIZE_TYPE) else None
    if held is None:
        raise NotCosigned(f"it answered {answer.status}{_said(answer)}")
    if int(held[1]) > size:
        raise NotCosigned(f"it cosigned size {held[1]} of this log before, and the last checkpoint is of size {size}")
    if int(held[1]) == old:
        raise NotCosigned(f"it wants a proof from size {old}, and refuses the one that begins there")
    return int(held[1])


def _said(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return ": redirects are not followed, so give the address that it redirects to"
    first = next(iter(answer.text.splitlines()), "")
    words = "".join(one for one in first if one.isprintable()).strip()[:MOST_SAID]
    return f": {words}" if words else ""


def _delay(failures: int) -> float:
    return min(FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 20), LONGEST_RETRY_SECONDS)
