"""The notary that leads: what it signed is recorded on the session that holds its lock."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from events.custody import LogCheckpointed
from events.envelope import SPLICE_VERSION, Draft
from projections.sql import named_queries
from services import clock
from services.database.lead import LeadSession
from services.notary import signed
from services.notary.checkpoint import Checkpoint

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

    async def begin_anew(self) -> None:
        """Forget the tree."""
        await self._rows("begin_anew")

    async def note_halt(self, because: str | None) -> None:
        """Say to whoever asks why nothing is signed, or that it is."""
        await self._rows("note_halt", because)
