"""Agreeing that texts of a case leave in clear: by somebody else than whoever takes it away, good once and not long."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from events import custody
from events.case.refusals import NoSuchCase
from events.custody import ViewPurpose
from events.refusals import BadInput
from services.ledger.ledger import Ledger
from services.vault.approvals import Approvals, Clearing
from services.vault.persons import Persons


async def approve(
    ledger: Ledger,
    persons: Persons,
    approvals: Approvals,
    case_id: UUID,
    purpose: ViewPurpose,
    *,
    taker: UUID,
    approver: UUID,
    now: datetime,
) -> str:
    """An approval of this case's texts for this person and purpose; raises BadInput, NoSuchCase."""
    custody.refuse_other_purposes(purpose)
    if taker == approver:
        raise BadInput.field("taker", "somebody else than yourself", "ask another to approve it")
    if not await ledger.read_stream(f"case/{case_id}"):
        raise NoSuchCase()
    asked = Clearing(f"case/{case_id}", purpose, await persons.pseudonym(taker, case_id))
    return approvals.grant(asked, await persons.pseudonym(approver, case_id), now)
