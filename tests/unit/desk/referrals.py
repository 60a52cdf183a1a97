"""A referral and the least that goes before it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from events import reference
from events.case import opening, protection, referral
from events.vocabulary import Role
from services import clock
from tests.support.history import GIHANGA, Story

CLINIC = "clinic"


async def register_clinic(story: Story) -> None:
    await story.register(
        reference.RegisterRecipient,
        recipient=CLINIC,
        recipient_class="health_facility",
        label=CLINIC,
        serves=[GIHANGA],
        purposes=["medical"],
        conflicts_with=[],
    )


async def refer(story: Story, case_id: UUID) -> UUID:
    """Refer a case to the clinic; returns the referral's id."""
    later, stream = clock.now() + timedelta(days=1), f"case/{case_id}"
    scope: dict[str, Any] = {"recipient": CLINIC, "purpose": "medical"}
    consent = {"basis": "no_person_concerned", "purposes": ["medical"], "recipients": [CLINIC]}
    await story.case("fabien", Role.COORDINATOR, opening.Classify, case_id, kind="violence", actor_class="rioters")
    await story.case("bede", Role.REVIEWER, protection.CheckHarm, case_id, **scope, verdict="clear", valid_until=later)
    check_id = (await story.newest(stream))["check_id"]
    await story.consent("bede", case_id, **consent)
    consent_id = (await story.newest(stream))["consent_id"]
    await story.case(
        "fabien",
        Role.REFERRAL_OFFICER,
        referral.Refer,
        case_id,
        **scope,
        minimum_data=["place"],
        acknowledge_by=later,
        act_by=later,
        check_id=check_id,
        consent_id=consent_id,
    )
    return UUID((await story.newest(stream))["referral_id"])
