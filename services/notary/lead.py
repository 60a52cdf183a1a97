"""The notary that leads: what it signed is recorded on the session that holds its lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from events.custody import LogCheckpointed
from events.envelope import SPLICE_VERSION, Draft
from projections.sql import named_queries
from services import clock
from services.database.lead import LeadSession
from services.notary import signed
from services.notary.checkpoint import Checkpoint
from services.notary.witnesses import Witness
from services.tlog.notes import Verifier

SQL = named_queries("services.notary", "notary.sql")


class Last(NamedTuple):
    """The checkpoint that was recorded last, and where."""

    version: int
    position: int
    checkpoint: Checkpoint


class Lead(LeadSession):
    """The notary's session."""

    application = "intabaza notary"
    queries = {**SQL, **signed.SQL}

    async def first(self) -> UUID | None:
        """The id of the event at position 1; None in an empty ledger."""
        rows = await self._rows("first")
        return rows[0][0] if rows else None

    async def last(self) -> Last | None:
        """The checkpoint that was recorded last; raises NoCheckpoint where it is none."""
        rows = await self._rows("newest")
        return Last(rows[0][0], rows[0][1], Checkpoint.recorded(rows[0][2], rows[0][1])) if rows else None

    async def record(self, draft: Draft[LogCheckpointed]) -> str:
        """Append a checkpoint; what became of it, in the words of the ledger."""
        outcome, detail = (
            await self._rows(
                "record",
                clock.now(),
                SPLICE_VERSION,
                draft.command_id,
                draft.command_mac,
                draft.version - 1,
                draft.home,
                draft.event_id,
                draft.body(),
            )
        )[0]
        return f"{outcome}: {detail}" if detail else str(outcome)

    async def name_witnesses(self, witnesses: Sequence[Witness]) -> None:
        """Say who is asked to cosign from now on."""
        await self._rows("name_witnesses", [str(one.key) for one in witnesses], [one.url for one in witnesses])

    async def cosigned_size(self, witness: Verifier) -> int:
        """How far a witness has cosigned, as far as that was kept."""
        return int(await self._value("cosigned_size", str(witness)))

    async def note_witness(self, witness: Verifier, size: int, line: str | None, because: str | None) -> None:
        """Keep what a witness said of the checkpoint of a size: the line that cosigns it, or why there is none."""
        await self._rows("note_witness", str(witness), size, line, because)

    async def begin_anew(self) -> None:
        """Forget the tree."""
        await self._rows("begin_anew")

    async def note_halt(self, because: str | None) -> None:
        """Say to whoever asks why nothing is signed, or that it is."""
        await self._rows("note_halt", because)
