"""The table of who may open what, tried with every role, key, purpose and field."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from events.custody import MayNotOpen, NeedsApprovers, RecordViewed, SealedField, ViewPurpose, view
from events.event import Act
from events.refusals import BadInput
from events.sealed import KeyKind
from events.vocabulary import Actor, Role

ANNA, BEN = uuid4(), uuid4()
TEXT = SealedField("text", KeyKind.REPORT)
NOTE = SealedField("note", KeyKind.CASE)
NAME = SealedField("person_name", KeyKind.PERSON)
ANONYMOUS_CONTACT = SealedField("contact", KeyKind.REPORT)
VICTIM = SealedField("person", KeyKind.CASE)
EVERY_FIELD = (TEXT, NOTE, NAME, ANONYMOUS_CONTACT, VICTIM)


def act_of(role: Role, ref: UUID | None = None, on_behalf_of: UUID | None = None) -> Act:
    return Act(
        at=datetime(2027, 3, 1, tzinfo=UTC),
        today=date(2027, 3, 1),
        by=Actor(role=role, ref=ref or uuid4(), on_behalf_of=on_behalf_of),
    )


def opened(role: Role, field: SealedField, purpose: ViewPurpose, type_: str = "report.received", **also: Any) -> bool:
    try:
        view(
            also.pop("act", act_of(role)),
            viewed=f"report/{ANNA}",
            viewed_version=1,
            viewed_type=type_,
            fields=[field],
            purpose=purpose,
            **also,
        )
    except MayNotOpen:
        return False
    return True


@pytest.mark.parametrize(
    "role",
    [
        *sorted(set(Role) - {Role.REVIEWER, Role.REFERRAL_OFFICER, Role.RECIPIENT, Role.CUSTODIAN}),
        Role.read("overseer"),
    ],
)
def test_a_role_without_this_work_opens_nothing(role: Role) -> None:
    for field, purpose, type_ in product(EVERY_FIELD, ViewPurpose, ("report.received", "case.referred")):
        assert not opened(role, field, purpose, type_, approved_by=(ANNA, BEN))


@pytest.mark.parametrize(
    ("role", "purposes"),
    [
        (Role.REVIEWER, {ViewPurpose.REVIEW, ViewPurpose.CORRECTION}),
        (Role.REFERRAL_OFFICER, {ViewPurpose.REFERRAL, ViewPurpose.CARE, ViewPurpose.CORRECTION}),
    ],
)
def test_reviewers_and_referral_officers_open_texts_for_their_work_and_never_who_somebody_is(
    role: Role, purposes: set[ViewPurpose]
) -> None:
    for purpose in ViewPurpose:
        assert opened(role, TEXT, purpose) == (purpose in purposes)
        assert opened(role, NOTE, purpose) == (purpose in purposes)
        for field in (NAME, ANONYMOUS_CONTACT, VICTIM):
            assert not opened(role, field, purpose, approved_by=(ANNA, BEN))


def test_a_recipient_opens_the_note_of_a_referral_and_no_more() -> None:
    assert opened(Role.RECIPIENT, NOTE, ViewPurpose.REFERRAL, "case.referred")
    assert not opened(Role.RECIPIENT, NOTE, ViewPurpose.REFERRAL, "case.assessed")
    assert not opened(Role.RECIPIENT, NOTE, ViewPurpose.CARE, "case.referred")
    assert not opened(Role.RECIPIENT, TEXT, ViewPurpose.REFERRAL, "case.referred")


@pytest.mark.parametrize("field", [NAME, ANONYMOUS_CONTACT, VICTIM])
def test_who_somebody_is_takes_two_approvers_other_than_the_one_who_opens(field: SealedField) -> None:
    me, behind_me = uuid4(), uuid4()
    act = act_of(Role.CUSTODIAN, me, behind_me)
    for too_few in ((), (ANNA,), (ANNA, ANNA), (ANNA, me), (ANNA, behind_me)):
        with pytest.raises(NeedsApprovers, match="two approvers"):
            opened(Role.CUSTODIAN, field, ViewPurpose.DISCLOSURE, act=act, approved_by=too_few)
    assert opened(Role.CUSTODIAN, field, ViewPurpose.DISCLOSURE, act=act, approved_by=(ANNA, BEN))


def test_one_field_that_may_not_be_opened_refuses_all() -> None:
    with pytest.raises(MayNotOpen, match=r"does not open contact of report\.received for review"):
        view(
            act_of(Role.REVIEWER),
            viewed=f"report/{ANNA}",
            viewed_version=1,
            viewed_type="report.received",
            fields=[TEXT, ANONYMOUS_CONTACT],
            purpose=ViewPurpose.REVIEW,
        )


def test_opening_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="at least one sealed field"):
        view(
            act_of(Role.REVIEWER),
            viewed=f"report/{ANNA}",
            viewed_version=1,
            viewed_type="report.received",
            fields=[],
            purpose=ViewPurpose.REVIEW,
        )


def test_a_view_says_what_was_opened_why_and_who_agreed() -> None:
    event = view(
        act_of(Role.CUSTODIAN),
        viewed=f"report/{ANNA}",
        viewed_version=7,
        viewed_type="report.received",
        fields=[TEXT, ANONYMOUS_CONTACT],
        purpose=ViewPurpose.DISCLOSURE,
        approved_by=(ANNA, BEN, ANNA),
    )
    assert event.wire_data() == {
        "viewed": f"report/{ANNA}",
        "viewed_version": 7,
        "viewed_type": "report.received",
        "fields": ["text", "contact"],
        "purpose": "disclosure",
        "approved_by": [str(ANNA), str(BEN)],
    }
    assert RecordViewed.model_validate(event.wire_data()) == event
