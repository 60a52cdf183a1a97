"""A case is taken away for a reason that is one, and no text leaves in clear unless two others said so."""

from __future__ import annotations

from uuid import uuid4

import pytest

from events.custody import ClearNeedsApprovers, OpenedFields, ViewPurpose, export, leave_in_clear
from events.refusals import BadInput
from events.vocabulary import Role
from tests.unit.vault.test_who_may_open import ANNA, BEN, act_of

TAKEN = {"exported": f"case/{ANNA}", "up_to": 12, "events": 3, "manifest_hash": "ab" * 32}


@pytest.mark.parametrize("purpose", ViewPurpose)
def test_a_case_is_taken_away_for_audit_export_or_disclosure(purpose: ViewPurpose) -> None:
    if purpose in {"audit", "export", "disclosure"}:
        shown = OpenedFields(viewed=f"report/{BEN}", viewed_version=1, fields=("text",))
        assert export(**TAKEN, purpose=purpose, in_clear=[shown]).wire_data() == {  # type: ignore[arg-type]
            **TAKEN,
            "purpose": purpose.value,
            "in_clear": [{"viewed": f"report/{BEN}", "viewed_version": 1, "fields": ["text"]}],
        }
    else:
        with pytest.raises(BadInput):
            export(**TAKEN, purpose=purpose)  # type: ignore[arg-type]


def test_a_text_leaves_in_clear_with_two_approvers_who_are_neither_the_taker_nor_for_whom_they_act() -> None:
    taker, principal = uuid4(), uuid4()
    act = act_of(Role.CUSTODIAN, taker, principal)
    for approvers in ((), (ANNA,), (ANNA, ANNA), (ANNA, taker), (ANNA, principal)):
        with pytest.raises(ClearNeedsApprovers, match=r"^text of report\.received leaves in clear"):
            leave_in_clear(act, viewed_type="report.received", fields=["text"], approved_by=approvers)
    leave_in_clear(act, viewed_type="report.received", fields=["text"], approved_by=(ANNA, BEN))
