"""Texts leave in clear by two approvals of this very case, and never what may be a phone number."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from uuid import UUID, uuid4

import pytest

from events.custody import ClearNeedsApprovers, MayNotOpen, ViewPurpose
from events.refusals import BadInput, Refusal
from events.vocabulary import Role
from services.evidence.clear import LEFT_OUT, Cleared, cleared, without_numbers
from services.vault.approvals import Approvals, Clearing
from services.vault.master import MasterKey
from tests.unit.vault.test_who_may_open import ANNA, BEN, act_of

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
CASE, TAKER = uuid4(), uuid4()
APPROVALS = Approvals(MasterKey(token_bytes(32)))
ASKED = Clearing(f"case/{CASE}", ViewPurpose.DISCLOSURE, TAKER)


def by(approver: UUID, asked: Clearing = ASKED) -> str:
    return APPROVALS.grant(asked, approver, NOW)


def decided(
    *given: str, role: Role = Role.CUSTODIAN, purpose: ViewPurpose = ViewPurpose.DISCLOSURE, now: datetime = NOW
) -> Cleared:
    return cleared(APPROVALS, given, CASE, act_of(role, TAKER), purpose, now)


def test_two_others_let_texts_leave() -> None:
    agreed = decided(by(ANNA), by(BEN))
    assert agreed.approved_by == (ANNA, BEN)
    assert len(agreed.approval_ids) == 2


def test_fewer_do_not() -> None:
    for given in ((), (by(ANNA),), (by(ANNA), by(ANNA)), (by(ANNA), by(TAKER))):
        with pytest.raises(ClearNeedsApprovers, match="leaves in clear when two others approved it"):
            decided(*given)


def test_nobody_but_a_custodian_takes_texts_away_also_with_approvals() -> None:
    for role in set(Role) - {Role.CUSTODIAN}:
        with pytest.raises(MayNotOpen, match=rf"the role {role.value} does not open"):
            decided(by(ANNA), by(BEN), role=role)


def test_each_approval_that_is_none_of_this_has_a_sentence_of_its_own() -> None:
    said = set[str]()
    wrong = {
        "another case": by(BEN, replace(ASKED, case=f"case/{uuid4()}")),
        "another purpose": by(BEN, replace(ASKED, purpose=ViewPurpose.AUDIT)),
        "another taker": by(BEN, replace(ASKED, taker=uuid4())),
        "cut": by(BEN)[:-3],
        "by one person": by(ANNA),
    }
    for one in wrong.values():
        with pytest.raises(Refusal) as refused:
            decided(by(ANNA), one)
        said.add(str(refused.value))
    with pytest.raises(BadInput, match="have not ended") as late:
        decided(by(ANNA), by(BEN), now=NOW + timedelta(minutes=15))
    assert len({*said, str(late.value)}) == len(wrong) + 1
    with pytest.raises(BadInput, match="audit, export or disclosure"):
        decided(by(ANNA), by(BEN), purpose=ViewPurpose.REVIEW)


@pytest.mark.parametrize(
    "number",
    [
        "79-00-0001",
        "79000001kwa",
        "2577900000125779000002",
        "+257 79 000 001",
        "79000001",
        "79.00.00.01",
        "+25779000001",
        "(00257) 79-000-001",
        "79 00 00 01",
        "22 25 01 23",
    ],
)
def test_what_may_be_a_phone_number_is_left_out(number: str) -> None:
    assert without_numbers(f"Ask me at {number}, or at the market.").startswith(f"Ask me at {LEFT_OUT}")


def test_a_day_hides_no_number_beside_it() -> None:
    assert without_numbers("On 2026-05-20 79 000 001 called.") == f"On 2026-05-20 {LEFT_OUT} called."


@pytest.mark.parametrize(
    "text",
    [
        "On 2026-05-20, or 20.05.2026, 12 houses burnt.",
        "at 06:30",
        "2026-05-20 12 houses",
        "123 456",
        "bi:c2015:gihanga",
        "a1234567b",
        "1,250 people",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert without_numbers(text) == text
