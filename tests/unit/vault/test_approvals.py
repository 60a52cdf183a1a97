"""An approval is good for the opening that it was given for, for a quarter of an hour, and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID, uuid4

import pytest

from events.custody import ViewPurpose
from events.refusals import BadInput
from services.vault.approvals import LIFE, Approvals, Clearing, Opening
from services.vault.master import MasterKey

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
APPROVER = uuid4()
OPENING = Opening(f"report/{uuid4()}", 1, ("contact", "source"), ViewPurpose.DISCLOSURE, uuid4())
MASTER = MasterKey(token_bytes(32))


@pytest.fixture
def approval() -> str:
    return Approvals(MASTER).grant(OPENING, APPROVER, NOW)


def approver(approval: str, opening: Opening = OPENING, now: datetime = NOW, master: MasterKey = MASTER) -> UUID:
    return Approvals(master).approved(approval, opening, now).approver


def test_whoever_opens_proves_who_approved_in_any_order_of_fields(approval: str) -> None:
    assert approver(approval) == APPROVER
    assert approver(approval, replace(OPENING, fields=("source", "contact", "source"))) == APPROVER
    assert approver(approval, now=NOW + LIFE - timedelta(seconds=1)) == APPROVER


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": f"report/{uuid4()}"},
        {"version": 2},
        {"fields": ("contact",)},
        {"fields": ("contact", "source", "text")},
        {"purpose": ViewPurpose.ERASURE},
        {"opener": uuid4()},
    ],
)
def test_it_approves_nothing_else(approval: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="this very opening"):
        approver(approval, replace(OPENING, **changes))


def test_it_ends(approval: str) -> None:
    with pytest.raises(BadInput, match="have not ended"):
        approver(approval, now=NOW + LIFE)


def test_nobody_else_can_make_one(approval: str) -> None:
    with pytest.raises(BadInput, match="as they were given"):
        approver(approval, master=MasterKey(token_bytes(32)))
    told, _, mac = approval.partition(".")
    other = Approvals(MASTER).grant(replace(OPENING, version=2), APPROVER, NOW).partition(".")[0]
    for forged in (f"{other}.{mac}", told, f"{told}.", f".{mac}", "", "é.é", f"{approval}A", "x" * 10_000):
        with pytest.raises(BadInput, match="as they were given"):
            approver(forged)


def test_it_says_of_nobody_who_they_are(approval: str) -> None:
    assert "approver" not in repr(Approvals(MASTER))
    assert str(OPENING.opener) not in approval


CLEARING = Clearing(f"case/{uuid4()}", ViewPurpose.DISCLOSURE, uuid4())


def test_whoever_takes_a_case_away_in_clear_proves_who_approved() -> None:
    approval = Approvals(MASTER).grant(CLEARING, APPROVER, NOW)
    assert Approvals(MASTER).approved_clearing(approval, CLEARING, NOW).approver == APPROVER
    assert str(CLEARING.taker) not in approval


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"case": f"case/{uuid4()}"}, "this very case"),
        ({"purpose": ViewPurpose.AUDIT}, "of this purpose"),
        ({"taker": uuid4()}, "for whoever takes the case away"),
    ],
)
def test_an_approval_that_texts_leave_in_clear_says_what_it_was_given_for(changes: dict[str, Any], said: str) -> None:
    approval = Approvals(MASTER).grant(CLEARING, APPROVER, NOW)
    with pytest.raises(BadInput, match=said):
        Approvals(MASTER).approved_clearing(approval, replace(CLEARING, **changes), NOW)
    with pytest.raises(BadInput, match="have not ended"):
        Approvals(MASTER).approved_clearing(approval, replace(CLEARING, **changes), NOW + LIFE)


def test_an_approval_of_an_opening_lets_no_case_leave_and_the_other_way_round(approval: str) -> None:
    with pytest.raises(BadInput, match="this very case"):
        Approvals(MASTER).approved_clearing(approval, CLEARING, NOW)
    with pytest.raises(BadInput, match="this very opening"):
        approver(Approvals(MASTER).grant(CLEARING, APPROVER, NOW))
