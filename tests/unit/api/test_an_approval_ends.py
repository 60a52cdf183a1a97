"""People approve in their own time: fifteen minutes of this machine, whatever a scenario's clock says."""

from __future__ import annotations

from datetime import UTC, datetime
from secrets import token_bytes
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from events.custody import ViewPurpose
from services import clock
from services.api.custody import Approve, approve
from services.vault.approvals import Approvals, Opening
from services.vault.master import MasterKey
from services.vault.memory import MemoryVault

LONG_AGO = datetime(2015, 5, 13, 12, tzinfo=UTC)


async def test_an_approval_on_a_simulated_ledger_ends_by_this_machines_clock() -> None:
    vault, approvals, about = MemoryVault(), Approvals(MasterKey(token_bytes(32))), uuid4()
    desk = SimpleNamespace(persons=vault, now=lambda: LONG_AGO)
    office: Any = SimpleNamespace(desk=desk, approvals=approvals)
    asking: Any = SimpleNamespace(bearer=SimpleNamespace(person_id=uuid4()))
    record: Any = SimpleNamespace(stream=f"report/{about}", about=about)
    meant = Approve(version=1, fields=("source",), purpose=ViewPurpose.DISCLOSURE, opener=uuid4())
    approval = (await approve(office, asking, record, meant))["approval"]
    opener = await vault.pseudonym(meant.opener, about)
    opening = Opening(f"report/{about}", 1, ("source",), ViewPurpose.DISCLOSURE, opener)
    approved = approvals.approved(approval, opening, clock.now())
    assert approved.approver == await vault.pseudonym(asking.bearer.person_id, about)
    assert isinstance(approved.approval_id, UUID)
